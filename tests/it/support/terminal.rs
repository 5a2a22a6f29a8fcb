//! A command at a terminal of its own: what it writes there, as it goes on.
//!
//! Python's `pty` makes the terminal. A test waits for words on it, does something, and in the end
//! sees all that was written, and what of it is left on the screen.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use super::run::Run;

/// Runs `argv[2:]` at a terminal; says `seen` when the words `argv[1]` are on it, and goes on when
/// it gets a line: `interrupt` is Ctrl-C. In the end, everything that was written, and the exit
/// code in a last line.
const KEEPER: &str = "
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
words, written = sys.argv[1].encode(), b''
waits = len(words) > 0
while True:
    try:
        piece = os.read(terminal, 65536)
    except OSError:
        break
    if not piece:
        break
    written += piece
    if waits and words in written:
        waits = False
        print('seen', flush=True)
        if sys.stdin.readline() == 'interrupt\\n':
            os.write(terminal, b'\\x03')
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.stdout.buffer.write(b'never\\n' if waits else b'')
sys.stdout.buffer.write(written + b'\\n%d' % code)
";

/// A command that runs at a terminal.
pub struct Terminal {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

/// Returns the output of `command` at a terminal, from its start to its end.
pub fn written(python: impl FnOnce(Vec<String>) -> Run, command: &[&str]) -> Written {
    Terminal::start(python, "", command).ends()
}

/// The output and exit code of a command at a terminal.
#[derive(Debug)]
pub struct Written {
    /// The exit code.
    pub status: i32,
    /// Everything, escape sequences included.
    pub all: String,
}

impl Terminal {
    /// Starts `run`, which is to be `python3`'s sandbox: the words to wait for, and the command.
    pub fn start(python: impl FnOnce(Vec<String>) -> Run, words: &str, command: &[&str]) -> Self {
        let mut args = vec!["-c".to_owned(), KEEPER.to_owned(), words.to_owned()];
        args.extend(command.iter().map(|word| (*word).to_owned()));
        let mut command = python(args).command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdin, stdout }
    }

    /// Waits until the words are on the terminal. The command waits for what happens then.
    #[track_caller]
    pub fn sees(&mut self) {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        if line != "seen\n" {
            self.stdout.read_to_string(&mut line).unwrap();
            panic!("the words were never there: {line:?}");
        }
    }

    /// Lets the command go on to its end.
    pub fn ends(self) -> Written {
        self.after("go on\n")
    }

    /// Presses Ctrl-C.
    pub fn interrupted(self) -> Written {
        self.after("interrupt\n")
    }

    fn after(mut self, word: &str) -> Written {
        // Nobody reads it where nothing was waited for.
        let _ = self.stdin.write_all(word.as_bytes());
        let mut all = String::new();
        self.stdout.read_to_string(&mut all).unwrap();
        self.child.wait().unwrap();
        let (all, status) = all.rsplit_once('\n').unwrap();
        Written { status: status.parse().unwrap(), all: all.to_owned() }
    }
}

impl Written {
    /// The lines that are left on the screen, empty ones left out.
    pub fn screen(&self) -> Vec<String> {
        let mut lines = vec![String::new()];
        let (mut column, mut rest) = (0, self.all.chars().peekable());
        while let Some(character) = rest.next() {
            match character {
                '\r' => column = 0,
                '\n' => lines.push(String::new()),
                '\x1b' if rest.peek() == Some(&'[') => {
                    rest.next();
                    let mut sequence = String::new();
                    for part in rest.by_ref() {
                        sequence.push(part);
                        if part.is_ascii_alphabetic() {
                            break;
                        }
                    }
                    let line = lines.last_mut().unwrap();
                    match sequence.as_str() {
                        "2K" => line.clear(),
                        "K" | "0K" => *line = line.chars().take(column).collect(),
                        _ => {}
                    }
                }
                character => {
                    let line = lines.last_mut().unwrap();
                    let mut cells: Vec<char> = line.chars().collect();
                    cells.resize(cells.len().max(column + 1), ' ');
                    cells[column] = character;
                    *line = cells.into_iter().collect();
                    column += 1;
                }
            }
            if character == '\n' {
                column = 0;
            }
        }
        lines.into_iter().filter(|line| !line.trim().is_empty()).collect()
    }
}
