/** Sizes that both ends of a peer connection rely on. docs/protocol.md lists them for implementers. */

/**
 * Largest message on the lossy channel, in bytes, header included.
 *
 * One SCTP packet: a larger message is split, and one lost part then loses the whole message.
 * RFC 8831 section 6.6; a message fits one packet up to 1156 bytes from libdatachannel and 1160
 * from Chromium (measured).
 */
export const MAX_LOSSY_MESSAGE_BYTES = 1150

/**
 * Largest message on the control channel, in bytes.
 *
 * A manifest of 64 pieces with its signature is 2.2 kB; a Have summary of a large cache is the
 * longest. 16 KiB is what every WebRTC implementation accepts (RFC 8841 section 6 defaults to 64 KiB).
 */
export const MAX_CONTROL_MESSAGE_BYTES = 16 * 1024

/** Bytes of a Data message ahead of its payload: type, swarm tag, request id, chunk, serial. */
export const DATA_HEADER_BYTES = 13

/** Payload of a full Data message, in bytes: chunk n of a piece begins at n times this. */
export const CHUNK_BYTES = 1136

/** Pieces in one segment at most: a have-map of a segment is one 64-bit word on the wire. */
export const MAX_PIECES_PER_SEGMENT = 64

/** Smallest piece, in bytes: below it the per-piece costs (hash, request) outweigh earlier relay. */
export const MIN_PIECE_BYTES = 16 * 1024

/** Largest piece that is chosen for a segment of up to 16 MiB, in bytes. */
export const PREFERRED_MAX_PIECE_BYTES = 256 * 1024

/** Largest piece at all, in bytes: it bounds a segment to 64 MiB. */
export const MAX_PIECE_BYTES = 1024 * 1024

/** Largest segment that travels between peers, in bytes; a larger one comes from HTTP alone. */
export const MAX_SEGMENT_BYTES = MAX_PIECES_PER_SEGMENT * MAX_PIECE_BYTES

/** Chunks in one piece at most: `chunkCountOf(MAX_PIECE_BYTES)`. */
export const MAX_CHUNKS_PER_PIECE = Math.ceil(MAX_PIECE_BYTES / CHUNK_BYTES)

/** Ranges of missing chunks in one Request at most. */
export const MAX_REQUEST_RANGES = 32

/** Request ids in one Cancel at most. */
export const MAX_CANCEL_IDS = 64

/** Entries in one Have at most: on the control channel; the lossy channel's size allows fewer. */
export const MAX_HAVE_ENTRIES = 512

/** Join token, in characters at most: a signed one with all claims has about 400. */
export const MAX_TOKEN_CHARS = 2048

/** Session description of one side, in characters at most. */
export const MAX_SDP_CHARS = 16 * 1024

/**
 * One message of a tracker, in characters at most: an offer of `MAX_SDP_CHARS` whose line ends are
 * escaped, or 20 candidates, with room to spare.
 */
export const MAX_TRACKER_MESSAGE_CHARS = 64 * 1024

/** One ICE candidate line, in characters at most. */
export const MAX_CANDIDATE_CHARS = 512

/** Candidates accepted for one connection from one side at most, and in one session description. */
export const MAX_CANDIDATES = 20

/** Peers that one announce may ask a tracker to name at most. */
export const MAX_WANTED = 10

/**
 * Piece size for a segment of `segmentBytes`, in bytes.
 *
 * A thirty-second of the segment, rounded up to a power of two: small enough that a relay starts
 * early, large enough that hashing and requests stay cheap; then doubled until 64 pieces suffice.
 */
export function pieceSizeFor(segmentBytes: number): number {
  let size = MIN_PIECE_BYTES
  while (size < PREFERRED_MAX_PIECE_BYTES && size * 32 < segmentBytes) size *= 2
  while (size * MAX_PIECES_PER_SEGMENT < segmentBytes && size < MAX_PIECE_BYTES) size *= 2
  return size
}

/** Number of pieces of `pieceSize` in a segment of `segmentBytes`; 0 for an empty segment. */
export function pieceCountOf(segmentBytes: number, pieceSize: number): number {
  return Math.ceil(segmentBytes / pieceSize)
}

/** Number of chunks in a piece of `pieceBytes`. */
export function chunkCountOf(pieceBytes: number): number {
  return Math.ceil(pieceBytes / CHUNK_BYTES)
}
