// Publishes with node-postgres: a new version, the same again after a "lost" answer, other content under its number.
import assert from 'node:assert'
import { createRequire } from 'node:module'

// node-postgres is installed apart from this file.
const pg = createRequire(process.argv[3])('pg')

// README: begin
/** The id of the published version, also where an earlier try has published it and its answer got lost. */
async function publish(client, manifest, contentHash) {
  try {
    const sql = 'SELECT version_id FROM ext_finalize_version($1, $2)'
    const { rows } = await client.query(sql, [manifest, contentHash])
    return rows[0].version_id
  } catch (error) {
    if (error.constraint !== 'extension_version_registry_id_version_unique') throw error
    const duplicate = JSON.parse(error.detail)
    if (!duplicate.same_content) throw error
    return duplicate.existing.version_id
  }
}
// README: end

const manifest = { publisher: 'acme', name: 'node-postgres', version: '1.0.0', runtime: 'node@20' }
const client = new pg.Client(process.argv[2])
await client.connect()
const published = await publish(client, manifest, 'a'.repeat(64))
assert.equal(await publish(client, manifest, 'a'.repeat(64)), published)
await publish(client, manifest, 'b'.repeat(64)).catch((error) => {
  assert.equal(error.code, '23505')
  console.log(error.message)
})
await client.end()
