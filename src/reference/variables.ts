/**
 * Every environment variable that the program reads, for docs/reference.md. A test looks for their names in the sources and
 * finds one that is missing here, or that nothing reads.
 */

export interface Variable {
  name: string
  means: string
  /** What holds when it is not set. */
  without: string
}

const REQUIRED = 'required'
const LIKE = (option: string) => `as \`${option}\` of \`search\``

/** Those of cloud workers, but for the first, which all commands that have a state directory read. */
export const VARIABLES: readonly Variable[] = [
  { name: 'LOCAL_STATE_DIR', means: 'the state directory', without: '`./fold_state`' },
  {
    name: 'INPUT_FILE',
    means: 'what to work on: a key, `s3://bucket/key`, a prefix that ends in `/`, or a JSON array of these',
    without: REQUIRED,
  },
  {
    name: 'DO_SPACES_ENDPOINT',
    means: 'where the storage is: `https://...`, or `file:///directory`',
    without: 'that of the region',
  },
  { name: 'DO_SPACES_REGION', means: 'region of the storage, such as `nyc3`', without: '`us-east-1`' },
  { name: 'DO_SPACES_ACCESS_KEY', means: 'identifier of the key', without: REQUIRED },
  { name: 'DO_SPACES_SECRET_KEY', means: 'the key itself; never shown or stored', without: REQUIRED },
  { name: 'DO_SPACES_INPUT_BUCKET', means: 'bucket of the texts', without: '`fold-input`' },
  { name: 'DO_SPACES_ARCHIVE_BUCKET', means: 'bucket of the archives', without: '`fold-archives`' },
  {
    name: 'FOLD_INPUT_URL',
    means: 'a presigned GET for each input, in the place of endpoint and key; a JSON array for several',
    without: 'endpoint and key',
  },
  {
    name: 'FOLD_ARCHIVE_URL',
    means: 'a presigned PUT for each archive; a JSON array for several',
    without: 'endpoint and key',
  },
  { name: 'FOLD_MEMORY', means: LIKE('--memory'), without: 'half of what the machine or its cgroup grants' },
  { name: 'FOLD_THREADS', means: LIKE('--threads'), without: 'one for each processor' },
  { name: 'FOLD_MAX_TIME', means: LIKE('--max-time'), without: 'no limit' },
  { name: 'FOLD_MAX_ORTHOS', means: LIKE('--max-orthos'), without: 'no limit' },
  { name: 'FOLD_MAX_DISK', means: LIKE('--max-disk'), without: 'no limit' },
  { name: 'FOLD_DISK_RESERVE', means: LIKE('--disk-reserve'), without: 'chosen by the size of the disk' },
  { name: 'FOLD_MAX_DIMS', means: LIKE('--max-dims'), without: 'no limit' },
  { name: 'FOLD_SHARD', means: LIKE('--shard'), without: 'all of it' },
  {
    name: 'FOLD_TRANSFER_TIME',
    means: 'time for one transfer with all its attempts, such as `10m`',
    without: '`1h`',
  },
  {
    name: 'FOLD_ALLOW_HTTP',
    means: '`1` allows plain http to other machines, where all can be read on its way',
    without: 'only https, and http to this machine',
  },
  {
    name: 'FOLD_WORKER_ACCESS_KEY',
    means: 'with `spawn --keys`: identifier of the restricted key that droplets are given',
    without: 'presigned URLs',
  },
  {
    name: 'FOLD_WORKER_SECRET_KEY',
    means: 'with `spawn --keys`: that key itself',
    without: 'presigned URLs',
  },
]
