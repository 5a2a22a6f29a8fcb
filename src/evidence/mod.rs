//! Evidence: from a lock to findings, and the words of a refusal.
//!
//! [`sources`] reads the settings and sets up the sources of documents, [`documents`] asks them for
//! one file, [`audit`] and [`judge`] gather and judge, [`recheck`] has refusals judged again past
//! all caches, a [`finding`] is the result for one file, a [`cause`] has the code of a refusal,
//! [`refusal`] has the words, and [`release`] the remark on a release that is partly signed.
//! Must not install anything.

pub mod audit;
pub mod cause;
pub mod documents;
pub mod finding;
pub mod judge;
pub mod recheck;
pub mod refusal;
pub mod release;
pub mod sources;
