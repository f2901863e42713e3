//! What Planfix sends to the phone system (`crm/planfix.md` §7, §8): `makeCall` when somebody clicks
//! on a number, `setup` when the integration is switched on.

use std::time::Duration;

use url::form_urlencoded::Serializer;

use super::handle::PlanfixHandle;
use super::options::UserOptions;

/// How long an answer is waited for here.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// What the phone system answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PbxAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
}

impl PlanfixHandle {
    /// Types address and key of the phone system into the telephony application; an empty key is
    /// none.
    pub fn type_pbx(&self, url: &str, key: &str) {
        let mut world = self.world();
        world.options.pbx_url = (!url.is_empty()).then(|| url.to_owned());
        world.options.pbx_token = key.to_owned();
    }

    /// Somebody is employed.
    pub fn employ(&self, user: UserOptions) {
        self.world().options.users.push(user);
    }

    /// An employee clicks on a number.
    ///
    /// # Errors
    /// Fails when no address was typed, or nobody answers there.
    pub async fn click(&self, from: &str, to: &str) -> Result<PbxAnswer, String> {
        let command = [("cmd", "makeCall"), ("from", from), ("to", to)];
        self.ask_pbx(&command).await
    }

    /// The administrator switches the application on. `planfix_url` is the account's own address
    /// unless another one is given.
    ///
    /// # Errors
    /// Fails when no address was typed, or nobody answers there.
    pub async fn switch_on(&self, planfix_url: &str) -> Result<PbxAnswer, String> {
        let token = self.world().options.telephony_token.clone();
        let command = [
            ("cmd", "setup"),
            ("planfix_token", token.as_str()),
            ("planfix_url", planfix_url),
        ];
        self.ask_pbx(&command).await
    }

    async fn ask_pbx(&self, command: &[(&str, &str)]) -> Result<PbxAnswer, String> {
        let (url, key, empty_key_is_sent) = {
            let world = self.world();
            let options = &world.options;
            let sent = world.switches.empty_key_is_sent;
            (options.pbx_url.clone(), options.pbx_token.clone(), sent)
        };
        let url = url.ok_or("no address of a phone system was typed")?;
        let mut form = Serializer::new(String::new());
        form.extend_pairs(command);
        if !key.is_empty() || empty_key_is_sent {
            form.append_pair("token", &key);
        }
        // Refused when the process chose a provider before; then that one is good too.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(ANSWER_WITHIN)
            .build()
            .map_err(|error| error.to_string())?;
        let request = client
            .post(url)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(form.finish());
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let status = answer.status().as_u16();
        let body = answer.text().await.map_err(|error| error.to_string())?;
        Ok(PbxAnswer { status, body })
    }
}
