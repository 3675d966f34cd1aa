/**
 * msgpackr ships this entry without types. It is the build that never compiles code at run time, which
 * the page's Content-Security-Policy would refuse.
 */
declare module 'msgpackr/unpack-no-eval' {
  export { Unpackr } from 'msgpackr/unpack'
}
