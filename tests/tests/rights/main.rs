//! Who may do what, over connections of the roles themselves.

mod duplicates;
mod grants;
mod installer;
mod owner;
mod signatures;
mod tenants;
