//! A socket between `up` and the server that stops at the n-th message that writes.

use std::fs;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use ext_registry_tests::Server;

/// What happens at the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The server never sees it.
    KilledBefore,
    /// The server has done what it says, and nobody ever hears its answer.
    KilledAfter,
    /// The backend is terminated before it sees it.
    Terminated,
}

pub struct Proxy {
    directory: PathBuf,
    /// Tells what the message says, once the moment has come to kill the client.
    pub reached: Receiver<String>,
}

impl Proxy {
    pub fn start(server: &'static Server, way: Way, point: usize) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let directory = PathBuf::from(format!("/tmp/proxy.{}.{number}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let listener = UnixListener::bind(directory.join(".s.PGSQL.5432")).unwrap();
        let (sender, reached) = mpsc::channel();
        let relay = Arc::new(Relay {
            server,
            way,
            left: AtomicUsize::new(point),
        });
        // Ends with the process: nobody else waits for a connection.
        thread::spawn(move || {
            for client in listener.incoming() {
                let (relay, sender) = (Arc::clone(&relay), sender.clone());
                // A connection that breaks is what this is about.
                thread::spawn(move || client.and_then(|client| relay.serve(client, &sender)));
            }
        });
        Self { directory, reached }
    }

    pub fn url(&self, database: &str) -> String {
        let directory = self.directory.display().to_string().replace('/', "%2F");
        format!("postgresql://postgres@{directory}:5432/{database}")
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

struct Relay {
    server: &'static Server,
    way: Way,
    left: AtomicUsize,
}

/// What the two directions of a connection tell each other.
#[derive(Default)]
struct Shared {
    backend: AtomicI32,
    swallow: AtomicBool,
}

impl Relay {
    fn serve(&self, mut client: UnixStream, reached: &Sender<String>) -> io::Result<()> {
        let socket = format!(".s.PGSQL.{}", self.server.port());
        let mut server = UnixStream::connect(self.server.sockets().join(socket))?;
        let mut startup = read_untyped(&mut client)?;
        if startup.len() == 8 {
            // It asks for encryption: no.
            client.write_all(b"N")?;
            startup = read_untyped(&mut client)?;
        }
        server.write_all(&startup)?;

        let shared = Arc::new(Shared::default());
        let (answered, answers) = mpsc::channel();
        let (from, to, with) = (
            server.try_clone()?,
            client.try_clone()?,
            Arc::clone(&shared),
        );
        thread::spawn(move || backwards(from, to, &with, &answered));

        let done = self.forwards(&mut client, &mut server, &shared, &answers, reached);
        // The other direction has it open too.
        let _ = server.shutdown(Shutdown::Both);
        done
    }

    fn forwards(
        &self,
        client: &mut UnixStream,
        server: &mut UnixStream,
        shared: &Shared,
        answers: &Receiver<()>,
        reached: &Sender<String>,
    ) -> io::Result<()> {
        // An Execute says nothing by itself; what it runs was parsed before.
        let mut parsed = None;
        let mut stop_at_sync = None;
        loop {
            let message = read_typed(client)?;
            let text = match message[0] {
                b'Q' => written(&message[5..]),
                b'P' => {
                    let unnamed = message[5..].iter().position(|byte| *byte == 0).unwrap_or(0);
                    parsed = written(&message[5 + unnamed + 1..]);
                    None
                }
                b'E' => parsed.take(),
                _ => None,
            };
            if let Some(text) = text.filter(|_| self.left.fetch_sub(1, Ordering::SeqCst) == 1) {
                match self.way {
                    Way::KilledBefore => return end(client, reached, text),
                    Way::KilledAfter => stop_at_sync = Some(text),
                    Way::Terminated => {
                        // First: the client may be gone as soon as its backend is.
                        let _ = reached.send(text);
                        let backend = shared.backend.load(Ordering::SeqCst);
                        self.server
                            .administer(&format!("SELECT pg_terminate_backend({backend}, 30000)"));
                    }
                }
            }
            // A simple query ends like an extended one does with its Sync.
            match stop_at_sync.take_if(|_| [b'Q', b'S'].contains(&message[0])) {
                None => server.write_all(&message)?,
                Some(text) => {
                    shared.swallow.store(true, Ordering::SeqCst);
                    server.write_all(&message)?;
                    let _ = answers.recv();
                    return end(client, reached, text);
                }
            }
        }
    }
}

/// Says that the moment has come, and waits until the client is gone.
fn end(client: &mut UnixStream, reached: &Sender<String>, text: String) -> io::Result<()> {
    let _ = reached.send(text);
    io::copy(client, &mut io::sink()).map(|_| ())
}

fn backwards(mut from: UnixStream, mut to: UnixStream, shared: &Shared, answered: &Sender<()>) {
    while let Ok(message) = read_typed(&mut from) {
        if message[0] == b'K' {
            let pid = i32::from_be_bytes(message[5..9].try_into().unwrap());
            shared.backend.store(pid, Ordering::SeqCst);
        }
        if !shared.swallow.load(Ordering::SeqCst) {
            if to.write_all(&message).is_err() {
                return;
            }
        } else if message[0] == b'Z' {
            let _ = answered.send(());
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

/// The statement without leading comments, where it is one that writes or ends a transaction.
fn written(bytes: &[u8]) -> Option<String> {
    let text = bytes.split(|byte| *byte == 0).next()?;
    let text = String::from_utf8_lossy(text);
    let lines = text.lines().map(str::trim);
    let mut lines = lines.skip_while(|line| line.is_empty() || line.starts_with("--"));
    let first = lines.next()?;
    let words = [
        "ALTER", "COMMENT", "COMMIT", "CREATE", "DROP", "GRANT", "INSERT", "REVOKE",
    ];
    words
        .iter()
        .any(|word| first.starts_with(word))
        .then(|| first.to_owned())
}

fn read_untyped(stream: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut message = vec![0; 4];
    stream.read_exact(&mut message)?;
    read_rest(stream, message)
}

fn read_typed(stream: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut message = vec![0; 5];
    stream.read_exact(&mut message)?;
    read_rest(stream, message)
}

/// The last four bytes hold the length, which counts itself.
fn read_rest(stream: &mut UnixStream, mut message: Vec<u8>) -> io::Result<Vec<u8>> {
    let head = message.len();
    let length = u32::from_be_bytes(message[head - 4..].try_into().unwrap());
    let rest = usize::try_from(length).unwrap().saturating_sub(4);
    message.resize(head + rest, 0);
    stream.read_exact(&mut message[head..])?;
    Ok(message)
}
