-- The four tables as a fresh database gets them. A database that has run the old schema keeps its own tables,
-- untouched; V2 and V3 add to those what is missing.
--
-- `adopted` marks the rows that were there before the guards: what today's rules forbid is allowed for them alone.
-- `created_at` may be NULL and texts are varchar(255) because such rows arrive here too, by restore or replication.

CREATE TABLE IF NOT EXISTS @schema@.extension_registry (
    id           uuid NOT NULL,
    publisher    varchar(255) NOT NULL,
    name         varchar(255) NOT NULL,
    display_name varchar(255),
    description  text,
    created_at   timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_at   timestamptz DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT extension_registry_pkey PRIMARY KEY (id),
    CONSTRAINT extension_registry_publisher_name_unique UNIQUE (publisher, name)
);

CREATE TABLE IF NOT EXISTS @schema@.extension_version (
    id            uuid NOT NULL,
    registry_id   uuid NOT NULL,
    version       varchar(255) NOT NULL,
    runtime       varchar(255) NOT NULL,
    main_entry    varchar(255) NOT NULL,
    api           jsonb NOT NULL DEFAULT '{}',
    api_endpoints jsonb NOT NULL DEFAULT '[]',
    ui            jsonb,
    capabilities  jsonb NOT NULL DEFAULT '[]',
    assets        jsonb,
    created_at    timestamptz DEFAULT CURRENT_TIMESTAMP,
    adopted       boolean NOT NULL DEFAULT false,
    CONSTRAINT extension_version_pkey PRIMARY KEY (id),
    CONSTRAINT extension_version_registry_id_version_unique UNIQUE (registry_id, version),
    CONSTRAINT extension_version_registry_id_fkey
        FOREIGN KEY (registry_id) REFERENCES @schema@.extension_registry (id)
);

CREATE TABLE IF NOT EXISTS @schema@.extension_bundle (
    id           uuid NOT NULL,
    version_id   uuid NOT NULL,
    content_hash varchar(255) NOT NULL,
    signature    text,
    precompiled  jsonb,
    storage_url  text,
    size_bytes   bigint,
    created_at   timestamptz DEFAULT CURRENT_TIMESTAMP,
    adopted      boolean NOT NULL DEFAULT false,
    CONSTRAINT extension_bundle_pkey PRIMARY KEY (id),
    CONSTRAINT extension_bundle_version_id_content_hash_unique UNIQUE (version_id, content_hash),
    CONSTRAINT extension_bundle_version_id_fkey
        FOREIGN KEY (version_id) REFERENCES @schema@.extension_version (id)
);

CREATE TABLE IF NOT EXISTS @schema@.tenant_extension_install (
    id           uuid NOT NULL,
    tenant_id    varchar(255) NOT NULL,
    registry_id  uuid NOT NULL,
    version_id   uuid NOT NULL,
    status       text NOT NULL DEFAULT 'enabled',
    granted_caps jsonb NOT NULL DEFAULT '[]',
    config       jsonb NOT NULL DEFAULT '{}',
    is_enabled   boolean NOT NULL DEFAULT true,
    created_at   timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_at   timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT tenant_extension_install_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT tenant_extension_install_tenant_id_registry_id_unique UNIQUE (tenant_id, registry_id),
    CONSTRAINT tenant_extension_install_status_chk CHECK (status IN ('enabled', 'disabled', 'pending')),
    CONSTRAINT tenant_extension_install_registry_id_fkey
        FOREIGN KEY (registry_id) REFERENCES @schema@.extension_registry (id),
    CONSTRAINT tenant_extension_install_version_id_fkey
        FOREIGN KEY (version_id) REFERENCES @schema@.extension_version (id)
);
