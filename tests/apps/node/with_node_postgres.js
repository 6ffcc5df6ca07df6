// Publishes and lists with node-postgres.

import pg from 'pg'

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
    if (!(duplicate.same_content && duplicate.same_manifest && duplicate.same_signature)) throw error
    return duplicate.existing.version_id
  }
}

const earlier = `
  SELECT version_id FROM ext_list_versions($1)
  WHERE content_hash = $2 AND rtrim(version, '0123456789') = rtrim($3, '0123456789') AND version_id <> $4`

/** The same for MAJOR.MINOR.*: the id of the version with this content, published by an earlier try or now. */
async function publishNext(client, manifest, contentHash) {
  await client.query('BEGIN')
  try {
    const sql = 'SELECT * FROM ext_finalize_version($1, $2)'
    const [published] = (await client.query(sql, [manifest, contentHash])).rows
    const { extension_id, content_hash, version, version_id } = published
    // Not before: publishing waits for an earlier try that has not ended yet.
    const { rows } = await client.query(earlier, [extension_id, content_hash, version, version_id])
    await client.query(rows.length > 0 ? 'ROLLBACK' : 'COMMIT')
    return rows.length > 0 ? rows[0].version_id : version_id
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  }
}
// README: end

/** Every version, newest first, in pages of two. A Date has milliseconds only: the publish time stays a text. */
async function* versions(client, name, tenant) {
  const sql = `
    SELECT version, content_hash, installed, bundle_count, published_at::text, version_id
    FROM ext_list_versions(ext_extension_id('acme', $1), $2)`
  let page = (await client.query(`${sql} LIMIT 2`, [name, tenant])).rows
  while (page.length > 0) {
    yield* page
    const { published_at, version_id } = page.at(-1)
    const behind = [name, tenant, published_at, version_id]
    page = (await client.query(`${sql} WHERE (published_at, version_id) < ($3, $4) LIMIT 2`, behind)).rows
  }
}

const name = 'node-postgres'
const manifest = (version, capabilities = []) => ({
  publisher: 'acme',
  name,
  version,
  runtime: 'node@20',
  capabilities,
})
const client = new pg.Client(process.argv[2])
await client.connect()
console.log('published:', await publish(client, manifest('1.0.0'), 'a'.repeat(64)))
console.log('published again:', await publish(client, manifest('1.0.0'), 'a'.repeat(64)))
for (const [other, contentHash] of [
  [manifest('1.0.0'), 'b'.repeat(64)],
  [manifest('1.0.0', ['net']), 'a'.repeat(64)],
]) {
  try {
    await publish(client, other, contentHash)
    console.error('something else was published under the same number')
    process.exit(1)
  } catch (error) {
    const duplicate = JSON.parse(error.detail)
    console.log('raised:', error.constructor.name)
    console.log('sqlstate:', error.code)
    console.log('constraint:', error.constraint)
    console.log('message:', error.message)
    console.log('code:', duplicate.code)
    console.log('existing:', duplicate.existing.version_id)
    console.log('same content:', duplicate.same_content)
    console.log('same manifest:', duplicate.same_manifest)
  }
}
console.log('published:', await publishNext(client, manifest('1.0.*'), 'b'.repeat(64)))
console.log('published again:', await publishNext(client, manifest('1.0.*'), 'b'.repeat(64)))
for await (const row of versions(client, name, 'berlin')) {
  console.log('listed:', row.version, row.content_hash, row.installed, row.bundle_count)
}
await client.end()
