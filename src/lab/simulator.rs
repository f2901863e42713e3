//! A running simulator: a server on a thread of its own, and a hand on what it simulates.

use std::io;
use std::net::TcpListener;
use std::ops::Deref;

use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpServer};

use super::own_thread::OwnThread;
use super::socket;

/// A running simulator, which does what its hand `H` can do; it ends when dropped.
#[derive(Debug)]
pub struct Simulator<H> {
    handle: H,
    server: OwnThread,
}

impl<H> Deref for Simulator<H> {
    type Target = H;

    fn deref(&self) -> &H {
        &self.handle
    }
}

impl<H: Clone> Simulator<H> {
    /// Returns a hand on the simulator that can be passed on.
    pub fn handle(&self) -> H {
        self.handle.clone()
    }

    /// Closes the socket and waits for the end.
    ///
    /// # Errors
    /// Fails with what ended the server.
    pub async fn stop(self) -> io::Result<()> {
        self.server.stop().await
    }
}

/// What a simulator serves, and where.
pub(in crate::lab) struct Service<C, D> {
    /// Names the thread, and the simulator in errors.
    pub(in crate::lab) name: &'static str,
    /// Where it is asked.
    pub(in crate::lab) listener: TcpListener,
    /// Sets routes and limits; handlers find the hand as [`web::Data`].
    pub(in crate::lab) configure: C,
    /// What the simulator does of its own accord. The server ends with it.
    pub(in crate::lab) beside: D,
}

impl<C, D> Service<C, D> {
    /// Starts the simulator on which `handle` is a hand.
    ///
    /// # Errors
    /// Fails when there is no thread to be had, or the server cannot be made.
    pub(in crate::lab) async fn start<H, B>(self, handle: H) -> io::Result<Simulator<H>>
    where
        H: Clone + Send + 'static,
        C: Fn(&mut ServiceConfig) + Clone + Send + 'static,
        D: FnOnce(H) -> B + Send + 'static,
        B: Future<Output = ()>,
    {
        let Self {
            name,
            listener,
            configure,
            beside,
        } = self;
        let (served, acting) = (handle.clone(), handle.clone());
        let server = move || {
            let app = move || {
                App::new()
                    .app_data(web::Data::new(served.clone()))
                    .configure(&configure)
            };
            let server = HttpServer::new(app)
                .workers(1)
                .disable_signals()
                .on_connect(socket::remember)
                .shutdown_timeout(1)
                .listen(listener)?;
            Ok(server.run())
        };
        let server = OwnThread::start(name, server, move || beside(acting)).await?;
        Ok(Simulator { handle, server })
    }
}
