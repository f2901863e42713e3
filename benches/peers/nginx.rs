//! nginx serving one static file: as little as a web server can do for a request.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

use super::http;
use super::server::{Server, Signal, find_program, free_port};

/// A running nginx.
pub(crate) struct Nginx {
    server: Server,
    pub(crate) port: u16,
    version: String,
}

impl Nginx {
    /// Starts it in a folder, with a file of this content at a path. One worker, no log, the file
    /// kept open; all else is as delivered.
    pub(crate) async fn start(folder: &Path, path: &str, content: &[u8]) -> anyhow::Result<Self> {
        let program = find_program("nginx", &["/usr/sbin".into(), "/usr/bin".into()])?;
        // nginx version: nginx/1.22.1, said where errors are said.
        let said = Command::new(&program).arg("-v").output()?;
        let said = String::from_utf8_lossy(&said.stderr).trim().to_owned();
        let version = said.rsplit_once('/').context("read nginx's version")?.1;
        let file = folder.join(path.trim_start_matches('/'));
        std::fs::create_dir_all(file.parent().context("a path below the root")?)?;
        std::fs::write(&file, content)?;
        let port = free_port()?;
        let root = folder.display();
        let user = match current_user_is_root()? {
            // Its worker would otherwise be somebody who may not pass the folder.
            true => "user root;",
            false => "",
        };
        let configuration = format!(
            "{user}
             worker_processes 1;
             daemon off;
             pid {root}/pid;
             error_log {root}/error.log;
             events {{ worker_connections 1024; }}
             http {{
               access_log off;
               default_type application/json;
               client_body_temp_path {root}/body;
               proxy_temp_path {root}/proxy;
               fastcgi_temp_path {root}/fastcgi;
               uwsgi_temp_path {root}/uwsgi;
               scgi_temp_path {root}/scgi;
               sendfile on;
               tcp_nopush on;
               open_file_cache max=10;
               keepalive_requests 100000000;
               server {{ listen 127.0.0.1:{port}; root {root}; }}
             }}\n"
        );
        let settings = folder.join("nginx.conf");
        std::fs::write(&settings, configuration)?;
        let mut command = Command::new(program);
        command.arg("-p").arg(folder).arg("-c").arg(&settings);
        let log = folder.join("log");
        let mut server = Server::start("nginx", &mut command, log, Signal::Terminate)?;
        server
            .until(async || match http::get(port, path).await? {
                200 => Ok(()),
                status => bail!("nginx answers {status}"),
            })
            .await?;
        Ok(Self {
            server,
            port,
            version: version.to_owned(),
        })
    }

    pub(crate) fn name(&self) -> String {
        format!("nginx {}, a static file", self.version)
    }

    /// The process that started it and its worker.
    pub(crate) fn pids(&self) -> anyhow::Result<Vec<u32>> {
        let parent = self.server.pid();
        let children = format!("/proc/{parent}/task/{parent}/children");
        let children = std::fs::read_to_string(children)?;
        let mut pids = vec![parent];
        for child in children.split_whitespace() {
            pids.push(child.parse()?);
        }
        Ok(pids)
    }
}

fn current_user_is_root() -> anyhow::Result<bool> {
    let said = super::server::output_of(Command::new("id").arg("-u"))?;
    Ok(said == "0")
}
