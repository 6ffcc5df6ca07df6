//! The migrations are embedded: a file that comes or goes has to rebuild the crate.

fn main() {
    println!("cargo:rerun-if-changed=../sql/migrations");
}
