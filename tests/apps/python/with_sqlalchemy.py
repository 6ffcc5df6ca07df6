"""Publishes and lists with SQLAlchemy 2 on psycopg 3."""

import json
import sys

from sqlalchemy import Boolean, DateTime, Integer, Text, Uuid, cast, column, create_engine, func, make_url, select, tuple_
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session


def publish(session, manifest, content_hash):
    """The id of the published version, also where an earlier try has published it and its answer got lost."""
    finalized = func.ext_finalize_version(cast(manifest, JSONB), content_hash).table_valued(
        column("version_id", Uuid)
    )
    try:
        # A savepoint: whatever else the session's transaction has done stays.
        with session.begin_nested():
            return session.scalars(select(finalized.c.version_id)).one()
    except IntegrityError as error:
        if error.orig.diag.constraint_name != "extension_version_registry_id_version_unique":
            raise
        duplicate = json.loads(error.orig.diag.message_detail)
        if not all(duplicate[same] for same in ("same_content", "same_manifest", "same_signature")):
            raise
        return duplicate["existing"]["version_id"]


def publish_next(session, manifest, content_hash):
    """The same for MAJOR.MINOR.*: the id of the version with this content, published by an earlier try or now."""
    finalized = func.ext_finalize_version(cast(manifest, JSONB), content_hash).table_valued(
        column("extension_id", Uuid), column("content_hash", Text), column("version", Text), column("version_id", Uuid)
    )
    with session.begin_nested() as savepoint:
        published = session.execute(select(finalized)).one()
        listed = func.ext_list_versions(published.extension_id).table_valued(
            column("version_id", Uuid), column("version", Text), column("content_hash", Text)
        )
        digits = "0123456789"
        # Not before: publishing waits for an earlier try that has not ended yet.
        earlier = session.scalars(
            select(listed.c.version_id).where(
                listed.c.content_hash == published.content_hash,
                func.rtrim(listed.c.version, digits) == published.version.rstrip(digits),
                listed.c.version_id != published.version_id,
            )
        ).first()
        if earlier:
            savepoint.rollback()
    return earlier or published.version_id


def versions(session, name, tenant):
    """Every version, newest first, in pages of two."""
    listed = func.ext_list_versions(func.ext_extension_id("acme", name), tenant).table_valued(
        column("version", Text),
        column("content_hash", Text),
        column("installed", Boolean),
        column("bundle_count", Integer),
        column("published_at", DateTime(timezone=True)),
        column("version_id", Uuid),
    )
    page = session.execute(select(listed).limit(2)).all()
    while page:
        yield from page
        last = page[-1]
        behind = tuple_(listed.c.published_at, listed.c.version_id) < (last.published_at, last.version_id)
        page = session.execute(select(listed).where(behind).limit(2)).all()


NAME = "sqlalchemy"


def manifest(version, capabilities=()):
    return {
        "publisher": "acme",
        "name": NAME,
        "version": version,
        "runtime": "python-3",
        "capabilities": list(capabilities),
    }


engine = create_engine(make_url(sys.argv[1]).set(drivername="postgresql+psycopg"))
with Session(engine) as session, session.begin():
    print("published:", publish(session, manifest("1.0.0"), "a" * 64))
    print("published again:", publish(session, manifest("1.0.0"), "a" * 64))
    for other, content_hash in [(manifest("1.0.0"), "b" * 64), (manifest("1.0.0", ["net"]), "a" * 64)]:
        try:
            publish(session, other, content_hash)
            sys.exit("something else was published under the same number")
        except IntegrityError as error:
            duplicate = json.loads(error.orig.diag.message_detail)
            print(f"raised: {type(error).__module__}.{type(error).__name__}")
            print("sqlstate:", error.orig.sqlstate)
            print("constraint:", error.orig.diag.constraint_name)
            print("message:", error.orig.diag.message_primary)
            print("code:", duplicate["code"])
            print("existing:", duplicate["existing"]["version_id"])
            print("same content:", duplicate["same_content"])
            print("same manifest:", duplicate["same_manifest"])
    print("published:", publish_next(session, manifest("1.0.*"), "b" * 64))
    print("published again:", publish_next(session, manifest("1.0.*"), "b" * 64))
with Session(engine) as session:
    for row in versions(session, NAME, "berlin"):
        print("listed:", row.version, row.content_hash, row.installed, row.bundle_count)
