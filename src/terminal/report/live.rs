//! Live line on a terminal: the current activity and its progress.
//!
//! Owns the times at which the line is drawn. A thread draws the line every [`TICK`]. The line is
//! cleared before any other output, since the end of an activity clears it, and before the process
//! ends.

use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::sync::{lock, unpoisoned};
use crate::terminal::progress::Progress;
use crate::terminal::report::{MARK, Report, Volume};

/// Interval between two drawings of the line.
const TICK: Duration = Duration::from_millis(100);

/// A live line; dropping it ends the line.
pub struct Live {
    progress: Arc<Progress>,
    ended: Arc<(Mutex<bool>, Condvar)>,
    drawing: Option<JoinHandle<()>>,
}

/// The line while it is on the terminal.
type SharedBar = Arc<Mutex<Option<ProgressBar>>>;

impl Report {
    /// Shows the progress on standard error, which must be a terminal. Returns `None` under
    /// [`Volume::Quiet`].
    #[must_use]
    pub fn live(self, progress: &Arc<Progress>) -> Option<Live> {
        if self.volume == Volume::Quiet {
            return None;
        }
        let line = SharedBar::default();
        let shown = Arc::clone(&line);
        progress.shown_by(Box::new(move || clear(&shown)));
        let ended = Arc::new((Mutex::new(false), Condvar::new()));
        let (watched, end) = (Arc::clone(progress), Arc::clone(&ended));
        let thread = std::thread::Builder::new().name("progress".to_owned());
        let drawing = thread.spawn(move || draw_until(&end, &line, &watched)).ok();
        Some(Live { progress: Arc::clone(progress), ended, drawing })
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        *lock(&self.ended.0) = true;
        self.ended.1.notify_all();
        if let Some(drawing) = self.drawing.take() {
            let _ = drawing.join();
        }
        self.progress.end();
    }
}

fn draw_until(end: &(Mutex<bool>, Condvar), line: &SharedBar, progress: &Progress) {
    let (ended, changed) = end;
    let mut is_over = lock(ended);
    while !*is_over {
        draw(line, progress);
        let waited = changed.wait_timeout(is_over, TICK);
        (is_over, _) = unpoisoned(waited);
    }
}

fn draw(line: &SharedBar, progress: &Progress) {
    // The progress is read under the lock, so that an ended activity is not drawn after it was
    // cleared.
    let mut line = lock(line);
    if let Some(words) = progress.words(Instant::now()) {
        line.get_or_insert_with(new_line).set_message(format!("{MARK}: {words}"));
    }
}

fn new_line() -> ProgressBar {
    let line = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    line.set_style(
        ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()),
    );
    line
}

fn clear(line: &SharedBar) {
    if let Some(line) = lock(line).take() {
        line.finish_and_clear();
    }
}
