//! The log of published versions in a real server: leaves, seals, proofs, races, and everything that an attacker with
//! all rights can change.

mod attacks;
mod evidence;
mod leaves;
mod outside;
mod proofs;
mod races;
mod rights;
mod seal;
mod world;
