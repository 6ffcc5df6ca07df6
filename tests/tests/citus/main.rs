//! The registry on a Citus cluster. Runs where `CITUS_URL` names one; each test says so when it is skipped.

mod cluster;
mod distribute;
mod drift;
mod guards;
mod log;
mod loss;
mod publish;
mod up;
