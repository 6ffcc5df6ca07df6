//! What calls leave behind in a backend, however many there are and however they end, and how the functions behave
//! in transactions of every kind.

mod interruptions;
mod limited;
mod memory;
mod standby;
mod transactions;
