//! Starts private PostgreSQL servers for the integration tests.
