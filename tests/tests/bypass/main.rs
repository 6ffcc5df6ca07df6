//! Every way we know to change published history, tried as every kind of role; and the ways to gain another role's
//! rights through what must run with more rights than its caller. `doc/bypass.md` is made from the first.

mod ddl_guard;
mod document;
mod matrix;
mod others_rights;
mod switches;
mod unchanged;
mod ways;
mod world;
