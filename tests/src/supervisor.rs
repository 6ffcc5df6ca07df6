//! The shell that keeps a server for as long as this process lives, and no longer.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use crate::installation::Installation;

/// A running `supervisor.sh`. Dropping it stops the server and removes its files.
pub(crate) struct Supervisor {
    shell: Child,
    // The shell reads from this pipe until nobody can write to it any more: also after an abort or a SIGKILL.
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    pub installation: Installation,
    pub home: PathBuf,
    pub sockets: PathBuf,
}

impl Supervisor {
    pub fn start(installation: Installation, environment: &[String]) -> Self {
        let mut shell = installation
            .server_shell(include_str!("supervisor.sh"))
            .arg("supervisor")
            .arg(&installation.data_parent)
            .envs(
                environment
                    .iter()
                    .filter_map(|setting| setting.split_once('=')),
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Its own group: Ctrl-C reaches the tests, and their end reaches the shell.
            .process_group(0)
            .spawn()
            .expect("/bin/sh starts");
        let commands = shell.stdin.take();
        let mut answers = BufReader::new(shell.stdout.take().expect("stdout is a pipe"));
        let first = read_answer(&mut answers);
        let Some((home, sockets)) = first.split_once(' ') else {
            panic!(
                "no server can be kept below {}: run `make test`, which prepares that folder",
                installation.data_parent.display()
            );
        };
        Self {
            shell,
            commands,
            answers,
            installation,
            home: home.into(),
            sockets: sockets.into(),
        }
    }

    pub fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    /// Waits until the command is done.
    ///
    /// # Panics
    /// With what the command and the server have printed when it fails.
    pub fn run(&mut self, command: &str) {
        let commands = self.commands.as_mut().expect("open until dropped");
        writeln!(commands, "{command}").expect("the supervisor listens");
        let answer = read_answer(&mut self.answers);
        let printed = |name: &str| fs::read_to_string(self.home.join(name)).unwrap_or_default();
        assert!(
            answer == "ok",
            "`{command}` failed: {}\n{}",
            printed("answer"),
            last_lines(&printed("log"), 30)
        );
    }

    /// Writes a file that the server user alone may read.
    pub fn write(&self, path: &Path, contents: &str) {
        fs::write(path, contents)
            .unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .expect("mode can be set");
        if let Some((user, group)) = self.installation.server_ids {
            std::os::unix::fs::chown(path, Some(user), Some(group))
                .expect("root can give files away");
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        drop(self.commands.take());
        // Fails only when somebody else has waited for it: then it is gone as well.
        let _ = self.shell.wait();
    }
}

fn read_answer(answers: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    answers
        .read_line(&mut line)
        .expect("the supervisor writes text");
    line.trim_end().to_owned()
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
