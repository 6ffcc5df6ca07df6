//! The PostgreSQL extension `ext_registry`.

::pgrx::pg_module_magic!(name, version);
