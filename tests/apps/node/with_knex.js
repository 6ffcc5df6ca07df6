// Publishes and lists with knex on node-postgres.

import createKnex from 'knex'

/** The id of the published version, also where an earlier try has published it and its answer got lost. */
async function publish(knex, manifest, contentHash) {
  try {
    // In a transaction of the app this is a savepoint.
    return await knex.transaction(async (transaction) => {
      const sql = 'SELECT version_id FROM ext_finalize_version(?, ?)'
      const { rows } = await transaction.raw(sql, [manifest, contentHash])
      return rows[0].version_id
    })
  } catch (error) {
    if (error.constraint !== 'extension_version_registry_id_version_unique') throw error
    const duplicate = JSON.parse(error.detail)
    if (!(duplicate.same_content && duplicate.same_manifest && duplicate.same_signature)) throw error
    return duplicate.existing.version_id
  }
}

/** The same for MAJOR.MINOR.*: the id of the version with this content, published by an earlier try or now. */
async function publishNext(knex, manifest, contentHash) {
  const transaction = await knex.transaction()
  try {
    const sql = 'SELECT * FROM ext_finalize_version(?, ?)'
    const [published] = (await transaction.raw(sql, [manifest, contentHash])).rows
    const { extension_id, content_hash, version, version_id } = published
    // Not before: publishing waits for an earlier try that has not ended yet.
    const earlier = await transaction
      .first('version_id')
      .from(knex.raw('ext_list_versions(?)', [extension_id]))
      .where({ content_hash })
      .whereNot({ version_id })
      .whereRaw("rtrim(version, '0123456789') = rtrim(?, '0123456789')", [version])
    await (earlier ? transaction.rollback() : transaction.commit())
    return (earlier ?? published).version_id
  } catch (error) {
    await transaction.rollback()
    throw error
  }
}

/** Every version, newest first, in pages of two. A Date has milliseconds only: the publish time stays a text. */
async function* versions(knex, name, tenant) {
  const list = () =>
    knex
      .select('version', 'content_hash', 'installed', 'bundle_count', 'version_id')
      .select(knex.raw('published_at::text'))
      .from(knex.raw("ext_list_versions(ext_extension_id('acme', ?), ?)", [name, tenant]))
      .limit(2)
  let page = await list()
  while (page.length > 0) {
    yield* page
    const { published_at, version_id } = page.at(-1)
    page = await list().whereRaw('(published_at, version_id) < (?, ?)', [published_at, version_id])
  }
}

const name = 'knex'
const manifest = (version, capabilities = []) => ({
  publisher: 'acme',
  name,
  version,
  runtime: 'node@20',
  capabilities,
})
const knex = createKnex({ client: 'pg', connection: process.argv[2] })
console.log('published:', await publish(knex, manifest('1.0.0'), 'a'.repeat(64)))
console.log('published again:', await publish(knex, manifest('1.0.0'), 'a'.repeat(64)))
for (const [other, contentHash] of [
  [manifest('1.0.0'), 'b'.repeat(64)],
  [manifest('1.0.0', ['net']), 'a'.repeat(64)],
]) {
  try {
    await publish(knex, other, contentHash)
    console.error('something else was published under the same number')
    process.exit(1)
  } catch (error) {
    const duplicate = JSON.parse(error.detail)
    console.log('raised:', error.constructor.name)
    console.log('sqlstate:', error.code)
    console.log('constraint:', error.constraint)
    // knex puts the SQL and ' - ' in front.
    console.log('message:', error.message.slice(error.message.indexOf(' - ') + 3))
    console.log('code:', duplicate.code)
    console.log('existing:', duplicate.existing.version_id)
    console.log('same content:', duplicate.same_content)
    console.log('same manifest:', duplicate.same_manifest)
  }
}
console.log('published:', await publishNext(knex, manifest('1.0.*'), 'b'.repeat(64)))
console.log('published again:', await publishNext(knex, manifest('1.0.*'), 'b'.repeat(64)))
for await (const row of versions(knex, name, 'berlin')) {
  console.log('listed:', row.version, row.content_hash, row.installed, row.bundle_count)
}
await knex.destroy()
