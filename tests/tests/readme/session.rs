//! Sessions in psql: statements behind prompts, and below each what psql printed.

use std::process::Command;

use crate::reader::with_input;

/// One statement or backslash command.
#[derive(Debug, Default)]
pub struct Statement {
    /// As in the page, with prompts.
    pub prompted: Vec<String>,
    /// What is typed.
    pub text: String,
    /// What the page shows below it.
    pub output: Vec<String>,
}

/// Takes a block apart.
pub fn parse(lines: &[String]) -> Vec<Statement> {
    let mut statements: Vec<Statement> = Vec::new();
    for line in lines {
        match (prompt(line), statements.last_mut()) {
            (Some(('=', text)), _) => statements.push(Statement {
                prompted: vec![line.clone()],
                text: text.to_owned(),
                output: vec![],
            }),
            (Some((mark, text)), Some(statement)) => {
                let expected = further_mark(&statement.text);
                assert_eq!(mark, expected, "psql would not prompt like this: {line}");
                statement.prompted.push(line.clone());
                statement.text.push('\n');
                statement.text.push_str(text);
            }
            (None, Some(statement)) => statement.output.push(line.clone()),
            (_, None) => panic!("a session begins with a prompt, not with {line:?}"),
        }
    }
    statements
}

/// What a prompt says about the statement so far (`=` before the first line), and what is typed behind it.
fn prompt(line: &str) -> Option<(char, &str)> {
    let rest = line.strip_prefix("registry")?;
    let mark = rest.chars().next()?;
    let text = rest[mark.len_utf8()..].strip_prefix("# ")?;
    ['=', '-', '(', '\'']
        .contains(&mark)
        .then_some((mark, text))
}

/// `'` inside of a text, `(` inside of parentheses, else `-`.
fn further_mark(text: &str) -> char {
    let (mut quoted, mut depth) = (false, 0);
    for c in text.chars() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
    }
    match (quoted, depth) {
        (true, _) => '\'',
        (_, 0) => '-',
        _ => '(',
    }
}

/// Runs the statements in one session and gives what psql printed for each.
pub fn run(mut psql: Command, statements: &[Statement]) -> Vec<Vec<String>> {
    psql.args(["-X"]);
    // Stdout and stderr of a statement are told apart from those of the next by a line on either.
    let mark = "-- next statement --";
    let mut input = String::new();
    for statement in statements {
        input.push_str(&format!(
            "{}\n\\echo '{mark}'\n\\warn '{mark}'\n",
            statement.text
        ));
    }
    let outcome = with_input(psql, &input);
    let parts = |text: &str| -> Vec<Vec<String>> {
        let lines = |part: &str| part.lines().map(str::to_owned).collect();
        text.split(&format!("{mark}\n")).map(lines).collect()
    };
    let (stdout, stderr) = (parts(&outcome.stdout), parts(&outcome.stderr));
    assert!(
        stdout.len() == statements.len() + 1 && stderr.len() == stdout.len(),
        "a statement has no end: {outcome:?}"
    );
    stdout
        .into_iter()
        .zip(stderr)
        .take(statements.len())
        .map(|(mut printed, errors)| {
            printed.extend(errors);
            printed
        })
        .collect()
}
