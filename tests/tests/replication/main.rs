//! A registry of many years on a standby and on a subscriber.

mod logical;
mod standby;
