//! `ext-migrate seal`, `audit` and `export-tiles`: the log from outside, against an attacker who is superuser.

mod attacks;
mod audit;
mod cost;
mod evidence;
mod export;
mod rights;
mod seal;
mod tamper;
mod world;
