//! A keyring that pip imports, with a backend that starts programs of its own: it works as with
//! plain pip, and no other code of the process gets to start a program through it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::index::LoopbackIndex;
use crate::support::sandbox::Sandbox;
use crate::support::twin::{But, same};
use crate::support::wheel::Wheel;
use crate::support::world::{PIN_AA, World, octo};

const PIPS: [&str; 4] = ["26.3", "25.1", "24.0", "22.3"];

/// The environment's keyring, which asks the one backend that there is.
const KEYRING: &str = "import backend

class Credential:
    def __init__(self, password):
        self.username, self.password = 'alice', password

def get_credential(url, username):
    return Credential(backend.password(url))
";

/// Backends, each with a program that knows the password.
const BACKENDS: [(&str, &str, &str); 5] = [
    (
        "as artifacts-keyring for Azure",
        "import json, subprocess
def password(url):
    words = ['dotnet', 'exec', 'provider.dll', '-Uri', url, '-IsRetry', 'False', '-NonInteractive']
    with subprocess.Popen(words, stdout=subprocess.PIPE, stdin=subprocess.PIPE) as program:
        return json.loads(program.communicate()[0])['Password']
",
        "#!/bin/sh\necho '{\"Username\": \"alice\", \"Password\": \"s3cret\"}'\n",
    ),
    (
        "as keyrings.google-artifactregistry-auth: a program in Python that starts another",
        "import json, subprocess
def password(url):
    said = subprocess.check_output('gcloud config config-helper --format=json', shell=True)
    return json.loads(said)['credential']['access_token']
",
        "#!PYTHON
import json, os, subprocess, sys
assert not [name for name in os.environ if name.startswith('PYPI_VERIFY_NOW_GUARD')]
token = subprocess.check_output(['sh', '-c', 'printf s3cret']).decode()
print(json.dumps({'credential': {'access_token': token}}))
",
    ),
    (
        "as keyrings.codeartifact for AWS",
        "import subprocess
def password(url):
    words = ['aws', 'codeartifact', 'get-authorization-token', '--output', 'text']
    return subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout.decode().strip()
",
        "#!/bin/sh\necho s3cret\n",
    ),
    (
        "by os.popen",
        "import os
def password(url):
    return os.popen('pass show index').read().strip()
",
        "#!/bin/sh\necho s3cret\n",
    ),
    (
        "by a fork and an exec",
        "import os
def password(url):
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.dup2(writer, 1)
        os.execlp('op', 'op', 'read', url)
    os.close(writer)
    return os.fdopen(reader).read().strip()
",
        "#!/bin/sh\necho s3cret\n",
    ),
];

/// The programs that backends start.
const PROGRAMS: [&str; 5] = ["dotnet", "gcloud", "aws", "pass", "op"];

/// Has the environment of a sandbox a keyring with this backend.
fn lay_keyring(sandbox: &Sandbox, backend: &str, program: &str) {
    let packages = sandbox.venv().site_packages();
    fs::create_dir_all(packages.join("keyring")).unwrap();
    fs::write(packages.join("keyring/__init__.py"), KEYRING).unwrap();
    fs::write(packages.join("backend.py"), backend).unwrap();
    let program = program.replace("PYTHON", sandbox.venv().python().to_str().unwrap());
    for name in PROGRAMS {
        lay_program(&sandbox.venv().bin().join(name), &program);
    }
}

fn lay_program(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A world whose index wants a password.
fn world(pip: &str) -> World {
    let index = LoopbackIndex::builder().basic_auth("alice", "s3cret");
    World::before(pip, index).signed(Wheel::new("aa", "1.0"), &octo()).trust(PIN_AA)
}

/// Options by which pip imports the keyring and asks no one else.
fn by_import(pip: &str) -> &'static [&'static str] {
    // Before 23.1, pip imports a keyring whenever there is one.
    if pip == "22.3" { &[] } else { &["--keyring-provider", "import", "--no-input"] }
}

#[test]
fn program_of_an_imported_keyring_gives_the_password() {
    let current = BACKENDS.iter().map(|backend| (PIPS[0], backend));
    let older = PIPS[1..].iter().copied().zip(&BACKENDS);
    for (pip, (shape, backend, program)) in current.chain(older) {
        let world = world(pip);
        let twin = world.twin();
        for sandbox in [&*world, &twin] {
            lay_keyring(sandbox, backend, program);
        }
        let args = [&["install", "aa"], by_import(pip)].concat();
        let outcome = same(&world, &twin, &args, But::Requested);
        assert_eq!(outcome.status, 0, "pip {pip}, {shape}: {outcome}");
        outcome.stderr_has("verified: aa 1.0").lacks("s3cret");
    }
}

#[test]
fn keyring_that_is_asked_by_a_build_or_by_default_gives_the_password() {
    let (_, backend, program) = BACKENDS[1];
    for pip in ["26.3", "24.0"] {
        for args in [&["install", "aa"][..], &["download", "aa"], &["install", "./local-1.0"]] {
            let world = world(pip);
            let local = world.sdist("local", "1.0").requires("aa").build();
            world.write_file(&local.filename, &local.bytes);
            world.sh("tar -xzf local-1.0.tar.gz").run().exits(0);
            lay_keyring(&world, backend, program);
            let outcome = world.pip(args).run();
            outcome.exits(0).stderr_has("verified: aa 1.0").lacks("User for");
        }
    }
}

/// The tool `keyring` is mostly written in Python itself, with the same backends.
#[test]
fn program_of_a_keyring_in_a_process_of_its_own_gives_the_password() {
    for pip in ["26.3", "24.0"] {
        let world = world(pip);
        let url = world.index.url().replace("://", "://alice@");
        let tool = "#!PYTHON
import subprocess, sys
password = subprocess.check_output(['sh', '-c', 'printf s3cret']).decode()
print('{\"username\": \"alice\", \"password\": \"%s\"}' % password if 'creds' in sys.argv[1] else password)
";
        // Not beside pip: a provider of that kind is looked for elsewhere on PATH.
        let tool = tool.replace("PYTHON", world.venv().python().to_str().unwrap());
        fs::create_dir(world.path("tools")).unwrap();
        lay_program(&world.path("tools/keyring"), &tool);
        let path = [world.shims(), world.path("tools"), world.venv().bin()];
        let path = std::env::join_paths(path.into_iter().chain(["/usr/bin".into(), "/bin".into()]));
        let run = world.pip(["install", "--keyring-provider", "subprocess", "--no-input", "aa"]);
        let run = run.env("PATH", path.unwrap()).env("PIP_INDEX_URL", &url);
        run.run().exits(0).stderr_has("verified: aa 1.0").lacks("s3cret");
    }
}

/// Ways in which other code of the process might have a program started in the keyring's place.
/// Each gives the files of an environment; `START` is a program that leaves a mark.
const TAMPERED: [(&str, &str, &str, &str); 6] = [
    (
        "before the keyring is asked",
        KEYRING,
        "def password(url):\n    return 's3cret'\n",
        "import sys
def start(event, args, done=[]):
    if event == 'socket.connect' and not done:
        done.append(event)
        import subprocess; subprocess.Popen(['START'])
sys.addaudithook(start)
",
    ),
    (
        "in another thread while the keyring is asked",
        KEYRING,
        "import subprocess, threading
def start():
    subprocess.Popen(['START'])
def password(url):
    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    return 's3cret'
",
        "",
    ),
    (
        "after the keyring was asked",
        KEYRING,
        "import atexit, subprocess
def password(url):
    atexit.register(subprocess.Popen, ['START'])
    return 's3cret'
",
        "",
    ),
    (
        "by a module that took the keyring's name",
        KEYRING,
        "def password(url):\n    return 's3cret'\n",
        "import sys, types
taken = types.ModuleType('keyring')
class Credential:
    username, password = 'alice', 's3cret'
def get_credential(url, username):
    import subprocess; subprocess.Popen(['START'])
    return Credential
taken.get_credential = get_credential
sys.modules['keyring'] = taken
",
    ),
    (
        "by pip, which the keyring has build a source",
        KEYRING,
        "def password(url):
    from pip._internal.commands import create_command
    create_command('download').main(['--no-deps', '--no-index', '--no-build-isolation', 'SOURCE'])
    return 's3cret'
",
        "",
    ),
    (
        "by a caller of pip's own function with a keyring of its own",
        KEYRING,
        "def password(url):\n    return 's3cret'\n",
        "import sys
def start(event, args, done=[]):
    auth = sys.modules.get('pip._internal.network.auth')
    if event == 'socket.connect' and auth is not None and not done:
        done.append(event)
        class Own:
            def get_credential(url, username):
                import subprocess; subprocess.Popen(['START'])
        class Provider:
            keyring = Own
        auth.KeyRingPythonProvider.get_auth_info(Provider, 'url', 'alice')
sys.addaudithook(start)
",
    ),
];

#[test]
fn no_other_code_starts_a_program_through_the_keyring() {
    for (way, keyring, backend, pth) in TAMPERED {
        let world = world("26.3");
        let source = world.sdist("evil", "1.0").build();
        let source = world.write_file(&source.filename, &source.bytes);
        let start = world.path("start");
        lay_program(&start, &format!("#!/bin/sh\ntouch {}\n", world.marker().display()));
        let start = start.to_str().unwrap();
        let backend = backend.replace("START", start).replace("SOURCE", source.to_str().unwrap());
        lay_keyring(&world, &backend, "#!/bin/sh\n");
        let packages = world.venv().site_packages();
        fs::write(packages.join("keyring/__init__.py"), keyring).unwrap();
        fs::write(packages.join("early.py"), pth.replace("START", start)).unwrap();
        fs::write(packages.join("early.pth"), "import early\n").unwrap();
        let arguments = ["install", "--keyring-provider", "import", "--no-input", "nn"];
        let outcome = world.pip(arguments).run();
        assert!(!world.something_ran(), "{way}: {outcome}");
        assert_ne!(outcome.status, 0, "{way}: {outcome}");
        assert!(world.leftovers().is_empty(), "{way}: {outcome}");
        let plain = world.plain_pip(arguments).run();
        assert!(world.something_ran(), "{way} starts nothing without the guard either: {plain}");
    }
}

/// Names that could be taken for the keyring's open nothing.
#[test]
fn package_named_keyring_that_is_resolved_runs_nothing() {
    for pip in ["26.3", "24.0"] {
        let world = world(pip);
        let world = world.signed(Wheel::new("bb", "1.0").requires("keyring"), &octo());
        let evil = world.sdist("keyring", "1.0");
        let world = world.source(evil).trust("keyring https://github.com/octo/example\n");
        let evil = format!("open({:?}, 'w').close()\n", world.marker());
        world.write_file("keyring.py", evil);
        let url = world.index.url().replace("://", "://alice:s3cret@");
        for args in [["install", "bb"], ["install", "keyring"]] {
            world.runs_nothing(world.pip(args).env("PIP_INDEX_URL", &url), 77);
        }
    }
}
