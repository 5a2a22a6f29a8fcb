//! The story of one `pip lock`: pip writes its lock, and the user gets it after every file in it
//! has a good verdict.
//!
//! Owns the order of its steps. The user's own pip runs once, under the guard, with the user's own
//! arguments; the guard keeps the lock in a private directory. So the lock and the messages are
//! pip's, byte for byte. If a package must be built, `build.rs` runs pip against the gateway, and
//! this module replaces the gateway's URLs in the lock with the real URLs.

use std::process::ExitCode;

use crate::evidence::audit::Finding;
use crate::failure::{Failure, Status};
use crate::gateway::Gateway;
use crate::package::lock::{Entry, File, Lock, Place, as_pip_writes};
use crate::pip::resolve::{KeptLock, Question, ResolveError};
use crate::pip::run::{Captured, Environment};
use crate::resolve::resolution::{Prepared, Unresolved, wheels_only};
use crate::resolve::steps::{self, LockPlace};
use crate::shim::lock_file::LockFile;
use crate::shim::notes::Notes;
use crate::shim::places::{Exchange, exchanged, in_words_of_the_user};
use crate::shim::story::Story;
use crate::shim::verified::with_verified_digests;
use crate::terminal::progress::Activity;
use crate::wheelhouse::Wheelhouse;

/// A lock that pip has written and the user has not received yet.
pub(super) struct Made {
    kept: KeptLock,
    said: Captured,
}

/// The set that pip would install or lock.
pub(super) struct Asked {
    /// The set.
    pub(super) lock: Lock,
    /// pip's own text of that lock, if the user asked for a lock.
    pub(super) made: Option<Made>,
}

/// The outcome of locking by wheels alone.
enum Wheels {
    /// A lock of wheels.
    Enough(Lock, Made),
    /// A package must be built, or only the gateway can serve it; with the failure of pip, if pip
    /// failed.
    NotEnough(Option<Captured>),
}

impl Story<'_> {
    /// Locks the user's requirements.
    ///
    /// # Errors
    /// A file could not be checked or was refused; then no lock was written.
    pub(super) fn lock(&self) -> Result<ExitCode, Unresolved> {
        let wheels = self.lock_of_wheels();
        self.sources.lend(&self.guard.logins());
        let (lock, made) = match wheels? {
            Wheels::Enough(lock, made) => (lock, made),
            Wheels::NotEnough(failed) => return self.instead_of_wheels(failed),
        };
        let Story { session, prepared, sources, .. } = self;
        let directory =
            session.run.subdirectory("wheelhouse").map_err(Failure::temporary_directory)?;
        let wheelhouse = Wheelhouse::new(directory, prepared.settings.cache.as_deref())
            .with_progress(session.progress);
        let index = sources.index();
        let findings = sources.audit(&index, self.trust, self.policy, &wheelhouse, &lock)?;
        let findings = self.decide(findings)?;
        let verified = with_verified_digests(lock.clone(), &findings);
        same_digests(&lock, &verified)?;
        let pages: &dyn Fn(&_) -> Vec<_> = &|name| {
            sources.indexes.iter().filter_map(|url| index.fetched_page(url, name)).collect()
        };
        let notes = Notes { session, prepared, lock: &verified, pages };
        Ok(self.give_lock(&made, &findings, &notes.passed_over())?)
    }

    /// Lets pip lock with wheels alone. A lock that states a digest other than sha256 cannot be
    /// compared with the verified bytes here. The story then resolves behind the gateway, where pip
    /// compares that digest itself.
    fn lock_of_wheels(&self) -> Result<Wheels, Unresolved> {
        let Story { session, prepared, .. } = self;
        if prepared.files.sources || steps::asks_for_sources(&prepared.probe.options) {
            return Ok(Wheels::NotEnough(None));
        }
        let _resolving = session.progress.begin(Activity::Resolving, 0);
        let directory =
            session.run.subdirectory("resolve").map_err(Failure::temporary_directory)?;
        let wheels_only = wheels_only(&directory)?;
        let output = directory.join("lock.json");
        let (arguments, options) = (session.arguments, &prepared.probe.options);
        let argv = steps::own_lock(arguments, options, self.lock_place(), &wheels_only);
        let question = Question::resolving(&argv, &output, &Environment::default());
        let made = prepared.resolver().kept_lock(question).and_then(Made::asked);
        let states_sha256 = |lock: &Lock| files(lock).all(|file| file.sha256.is_some());
        match made.map_err(Unresolved::from) {
            Ok(Asked { lock, made: Some(made) })
                if prepared.is_of_wheels(&lock) && states_sha256(&lock) =>
            {
                Ok(Wheels::Enough(lock, made))
            }
            Ok(_) | Err(Unresolved::NeedsSource(_)) => Ok(Wheels::NotEnough(None)),
            Err(Unresolved::Pip(captured)) if captured.may_lack_wheels(&prepared.files.hashes) => {
                Ok(Wheels::NotEnough(Some(captured)))
            }
            Err(error) => Err(error),
        }
    }

    /// Returns where the user wants the lock to be written.
    pub(super) fn lock_place(&self) -> LockPlace {
        steps::lock_place(self.session.arguments, &self.prepared.probe.options)
    }

    /// Records the publishers, then writes the lock and prints pip's output. Called after every
    /// verdict is good.
    pub(super) fn give_lock(
        &self,
        made: &Made,
        findings: &[Finding],
        notes: &[String],
    ) -> Result<ExitCode, Failure> {
        let Story { session, prepared, store, .. } = self;
        let file = LockFile::at(self.lock_place(), &made.kept.place)?;
        session.record(findings, prepared, store)?;
        session.tell(findings);
        notes.iter().for_each(|line| session.report.news(line));
        session.report.replay(&made.said.stdout, &made.said.stderr);
        file.write(session.report, &made.kept.text)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Made {
    /// Parses a lock that the guard kept.
    pub(super) fn asked((kept, said): (KeptLock, Captured)) -> Result<Asked, ResolveError> {
        let lock = Lock::from_pylock(&kept.text)?;
        Ok(Asked { lock, made: Some(Self { kept, said }) })
    }

    /// Replaces the private paths and URLs of this run with those that the user knows.
    pub(super) fn in_words_of_the_user(
        mut self,
        gateway: &Gateway,
        prepared: &Prepared<'_>,
        exchanges: &[Exchange],
    ) -> Self {
        for said in [&mut self.said.stdout, &mut self.said.stderr] {
            *said = exchanged(&in_words_of_the_user(gateway, prepared, said), exchanges);
        }
        self
    }

    /// Replaces the URL of each file in the text by its real URL. `stated` is the lock parsed from
    /// the text; `real` is the lock with the verified digests.
    ///
    /// # Errors
    /// The two locks differ in more than their URLs.
    pub(super) fn with_real_places(mut self, stated: &Lock, real: &Lock) -> Result<Self, Failure> {
        same_digests(stated, real)?;
        let mut expected = stated.clone();
        let places = expected.entries.iter_mut().flat_map(Entry::files_mut).zip(files(real));
        for (stated, real) in places {
            if stated.place == real.place {
                continue;
            }
            let place = as_pip_writes(real.place.url().ok_or_else(|| unclear(real))?);
            let (from, to) = (format!("\"{}\"", stated.place.as_written()), format!("\"{place}\""));
            self.kept.text = self.kept.text.replace(&from, &to);
            stated.place = Place::parse(&place).map_err(|_| unclear(real))?;
        }
        match Lock::from_pylock(&self.kept.text) {
            Ok(read) if read == expected => Ok(self),
            _ => Err(Failure::new(
                Status::CouldNotCheck,
                "the lock cannot be written with the places that its files really have",
            )),
        }
    }
}

/// Checks that each digest that a lock states is the verified one.
fn same_digests(stated: &Lock, verified: &Lock) -> Result<(), Failure> {
    let mut pairs = files(stated).zip(files(verified));
    let other = pairs.find(|(stated, verified)| {
        stated.sha256.is_some() && verified.sha256.is_some() && stated.sha256 != verified.sha256
    });
    other.map_or(Ok(()), |(file, _)| Err(unclear(file)))
}

fn unclear(file: &File) -> Failure {
    let message = format!("{} is not in the lock as it was verified", file.filename);
    Failure::new(Status::CouldNotCheck, message)
        .hint("the file may have changed meanwhile: run the command again")
}

fn files(lock: &Lock) -> impl Iterator<Item = &File> {
    lock.entries.iter().flat_map(Entry::files)
}
