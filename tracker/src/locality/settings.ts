import { z } from 'zod'

/** Files of one kind at most. */
const MAX_FILES = 16

const path = z.string().min(1)

/** The key `locality`: files that say where addresses are. None is needed, and none is shipped. */
export const localitySchema = z
  .strictObject({
    altoNetworkMap: path.optional().describe('ALTO network map (RFC 7285), JSON'),
    altoCostMap: path.optional().describe('ALTO cost map of that network map, JSON'),
    csvFiles: z
      .array(path)
      .max(MAX_FILES)
      .default([])
      .describe('tables of prefixes: prefix,as,country,metro,continent'),
    mmdbFiles: z
      .array(path)
      .max(MAX_FILES)
      .default([])
      .describe('MaxMind DB files: of providers (ASN), of cities or countries'),
  })
  .refine(({ altoNetworkMap, altoCostMap }) => altoCostMap === undefined || altoNetworkMap !== undefined, {
    path: ['altoCostMap'],
    error: 'needs altoNetworkMap',
  })

export type LocalitySettings = z.output<typeof localitySchema>
