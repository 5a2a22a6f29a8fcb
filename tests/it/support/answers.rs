//! A terminal of its own for one command, and a person at it who answers what is asked.

use super::run::Run;
use super::sandbox::Sandbox;

/// Runs a command at a new terminal. Each pair of arguments in front of `--` is a question and its
/// answer, typed when the question has come; what else is asked is not answered.
const TERMINAL: &str = "
import os, pty, sys
end = sys.argv.index('--')
questions, answers, command = sys.argv[1:end:2], sys.argv[2:end:2], sys.argv[end + 1:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
new = b''
while True:
    try:
        chunk = os.read(terminal, 4096)
    except OSError:
        break
    sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()
    new += chunk
    if questions and questions[0].encode() in new:
        questions.pop(0)
        answer, new = answers.pop(0), b''
        os.write(terminal, b'\\x03' if answer == '^C' else answer.encode() + b'\\n')
    if not chunk:
        break
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.exit(status)
";

/// Both of the command's outputs are on standard output. `^C` is the key, not the letters.
pub fn at_a_terminal(world: &Sandbox, answers: &[(&str, &str)], command: &[&str]) -> Run {
    let answers: Vec<&str> =
        answers.iter().flat_map(|(question, answer)| [*question, *answer]).collect();
    world.run("python3", [&["-c", TERMINAL], answers.as_slice(), &["--"], command].concat())
}
