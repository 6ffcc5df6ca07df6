//! Many clients at once, each doing what publishers, tenants and older apps do; then the registry is held against
//! what every client was told. `make soak` runs it with more clients and rounds.

mod client;
mod invariants;

use std::sync::Barrier;
use std::time::Instant;

use client::{DIRECT, Ledger, Player};
use ext_registry_tests::{Server, soak_size, together};

#[test]
fn many_clients_at_once() {
    let clients = soak_size("CLIENTS", 8, 64);
    let rounds = soak_size("ROUNDS", 24, 200);
    let db = Server::shared().migrated_database();
    // An older app expects its extension to be registered.
    let register = "INSERT INTO extension_registry (id, publisher, name) VALUES (gen_random_uuid(), 'acme', $1)";
    db.client().execute(register, &[&DIRECT]).unwrap();
    let round_begins = Barrier::new(clients);
    let started = Instant::now();

    let ledgers = together(
        clients,
        |number| Player::new(&db, number),
        |_, mut player| {
            for round in 0..rounds {
                round_begins.wait();
                player.play(round);
            }
            player.into_ledger()
        },
    );

    let seconds = started.elapsed().as_secs_f64();
    let total = Ledger::total(&ledgers);
    println!(
        "stress: {clients} clients, {rounds} rounds, {seconds:.1} s: {total}, no unexpected answer"
    );
    assert_eq!(total.unexpected, Vec::<String>::new());
    invariants::hold(&mut db.client(), &ledgers, rounds);
}
