//! Who may do what, over connections of the roles themselves.

mod grants;
mod installer;
mod owner;
mod signatures;
mod tenants;
