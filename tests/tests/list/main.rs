//! `ext_list_versions` and `ext_extension_id` over real connections.

mod cost;
mod installs;
mod old_data;
mod paging;
mod plan;
mod rows;
