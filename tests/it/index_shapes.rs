//! Indexes as they are found in the wild: redirected, files on another host, directories, several
//! at once, and configuration that is not for `pip lock`.

use crate::support::index::{Fault, LoopbackIndex};
use crate::support::sandbox::Sandbox;
use crate::support::served::{
    index_of_aa, installed, lock, octo, our_requests, pin, provenance, signed, trusted_root,
    unsigned, wheel, world, world_with_pip,
};

const PAGE: &str = "/simple/aa/";

#[test]
fn files_may_lie_on_another_host_than_the_pages() {
    let aa = wheel("aa", "1.0");
    let files = LoopbackIndex::builder().file("aa", unsigned(&aa)).start();
    let elsewhere = signed(&aa, &octo("aa")).at(files.file_url(&aa.filename));
    let index = LoopbackIndex::builder().file("aa", elsewhere).start();
    let other = LoopbackIndex::builder().start();
    let world = world(&other).trust(&pin("aa")).env("PIP_EXTRA_INDEX_URL", index.url());
    world.pip(["install", "aa"]).run().exits(0).stderr_has("verified: aa 1.0");
    let asked = our_requests(&files);
    let (metadata, file) =
        (format!("/files/{}.metadata", aa.filename), format!("/files/{}", aa.filename));
    assert_eq!(asked, [metadata, file]);
}

#[test]
fn page_may_be_redirected() {
    let (index, _) = index_of_aa();
    let front = LoopbackIndex::builder().start();
    front.fault(PAGE, Fault::redirect(index.at(PAGE)));
    let world = world(&front).trust(&pin("aa"));
    world.pip(["install", "aa"]).run().exits(0).stderr_has("verified: aa 1.0");
    world.write_file(".provenance.txt", "aa https://github.com/octo/other\n");
    world.pip(["install", "-I", "aa"]).run().exits(77);
}

#[test]
fn directory_as_index_may_hold_provenance_files() {
    let aa = wheel("aa", "1.0");
    let world = Sandbox::new().without_env("PIP_NO_INDEX").trusted_root(&trusted_root());
    let world = world.trust(&pin("aa"));
    let link = "<a href=\"../aa-1.0-py3-none-any.whl\" data-provenance=\"../aa.json\">x</a>";
    world.write_file("index/aa/index.html", link);
    world.write_file("index/aa-1.0-py3-none-any.whl", &aa.bytes);
    world.write_file("index/aa.json", provenance(&aa, &octo("aa")));
    let url = format!("file://{}/index", world.project().display());
    world.pip(["install", "-i", &url, "aa"]).run().exits(0).stderr_has("verified: aa 1.0");
    world.write_file("index/aa.json", provenance(&aa, &octo("evil")));
    world.pip(["install", "-I", "-i", &url, "aa"]).run().exits(77);
}

#[test]
fn find_links_state_no_provenance_but_a_second_source_may() {
    let aa = wheel("aa", "1.0");
    let world = Sandbox::new().trusted_root(&trusted_root());
    world.write_file("links/aa-1.0-py3-none-any.whl", &aa.bytes);
    let install = || world.pip(["install", "-I", "--find-links", "links", "aa"]);
    install().run().exits(0).stderr_has("unknown: aa 1.0");
    world.write_file(".provenance.txt", pin("aa"));
    install().run().exits(77).stderr_has("signature expected");
    world.write_file("recorded/aa-1.0-py3-none-any.whl.provenance", provenance(&aa, &octo("aa")));
    let recorded = install().env("PYPI_VERIFY_NOW_PROVENANCE", "recorded").run();
    recorded.exits(0).stderr_has("verified: aa 1.0");
}

#[test]
fn install_section_counts_for_the_tool() {
    for pip in ["26.3", "24.0"] {
        let (index, _) = index_of_aa();
        let conf = format!(
            "[global]\nindex-url = http://127.0.0.1:1\nretries = 0\n[install]\nindex-url = {}\n",
            index.url()
        );
        let world = world_with_pip(pip, &index).without_env("PIP_INDEX_URL").pip_conf(&conf);
        let world = world.trust(&pin("aa"));
        world.tool(["aa"]).run().exits(0).stdout_has("OK: aa 1.0");
        world.pip(["install", "aa"]).run().exits(0);
    }
}

#[test]
fn isolated_counts_for_the_shim() {
    let (index, aa) = index_of_aa();
    let world = world(&index).trust(&pin("aa")).env("PIP_PROXY", "http://127.0.0.1:1");
    let url = index.url();
    world.pip(["install", "--isolated", "-i", &url, "aa"]).run().exits(0);
    world.pip(["--isolated", "install", "-I", "-i", &url, "aa"]).run().exits(0);
    world.write_file("pylock.toml", lock(&index, [("aa", vec![&aa])]));
    world.tool(["-L", "pylock.toml", "--isolated", "-i", &url]).run().exits(0);
    world.tool(["-L", "pylock.toml", "--retries", "0"]).run().exits(69);
}

#[test]
fn several_extra_indexes_may_stand_in_one_value() {
    let (index, other) = (index_of_aa().0, LoopbackIndex::builder().start());
    let conf = format!("[global]\nextra-index-url =\n    {}\n    {}\n", other.url(), index.url());
    let world = world(&other)
        .without_env("PIP_INDEX_URL")
        .trust(&pin("aa"))
        .pip_conf(&(conf + &format!("index-url = {}\nquiet = 2\n", other.url())));
    world.pip(["install", "aa"]).run().exits(0);
    assert_eq!(installed(&world), ["aa==1.0"]);
    assert!(our_requests(&index).contains(&PAGE.to_owned()));
}

#[test]
fn remote_requirements_file_expands_secret_in_index_url() {
    let aa = wheel("aa", "1.0");
    let guarded = LoopbackIndex::builder().basic_auth("me", "sekret");
    let index = guarded.file("aa", signed(&aa, &octo("aa"))).start();
    let front = LoopbackIndex::builder().start();
    let url = index.url_with_credentials("me", "SECRET").replace("SECRET", "${TOKEN}");
    front.serve("/requirements.txt", "text/plain", format!("--index-url {url}\naa\n"));
    let requirements = front.at("/requirements.txt");
    let world = world(&front).trust(&pin("aa")).env("TOKEN", "sekret");
    let outcome = world.pip(["install", "-r", &requirements]).run();
    outcome.exits(0).stderr_has("verified: aa 1.0").lacks("sekret");
    let tool = world.tool(["-r", &requirements]).run();
    tool.exits(0).stdout_has("OK: aa 1.0").lacks("sekret");
}

#[test]
fn lock_without_its_index_is_not_unsigned() {
    let (index, aa) = index_of_aa();
    let world = world(&index).file("pylock.toml", lock(&index, [("aa", vec![&aa])]));
    let none = world.tool(["-L", "pylock.toml", "--no-index"]).run();
    none.exits(69).stderr_has("no configured index lists aa-1.0-py3-none-any.whl");
    world.tool(["-L", "pylock.toml"]).env("PIP_NO_INDEX", "1").run().exits(69);
    let other = LoopbackIndex::builder().start();
    world.tool(["-L", "pylock.toml", "-i", &other.url()]).run().exits(69);
}
