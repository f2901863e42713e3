use super::calls::{finish, incoming, register};
use super::*;

const ATTACH: &str = "telephony.externalCall.attachRecord";

#[tokio::test]
async fn a_recording_is_attached_by_address_by_content_and_by_upload() {
    let bench = Bench::start().await;
    let call_id = register(&bench, incoming("t1-1")).await;
    let url = json!({"CALL_ID": call_id, "RECORD_URL": "https://box.example/r/1.mp3"});
    let early = bench.refused(ATTACH, url.clone()).await.2;
    let text = "Call is not found in the statistic table. Looks like it is not finished yet.";
    assert_eq!(early, text);
    bench.lab.switch(|s| s.other_unfinished_wording = true);
    let early = bench.refused(ATTACH, url.clone()).await.2;
    assert_eq!(early, "Call is not found in the statistic table");
    finish(&bench, &call_id, 5, "200").await;
    bench.ok(ATTACH, url).await;
    let record = |bench: &Bench| bench.lab.oracle().calls[0].record.clone().unwrap();
    assert_eq!(record(&bench).url, "https://box.example/r/1.mp3");
    let content = json!({"CALL_ID": call_id, "FILENAME": "1.wav", "FILE_CONTENT": "c291bmQ="});
    bench.ok(ATTACH, content).await;
    assert_eq!((record(&bench).bytes, record(&bench).times), (5, 2));
    let offer = bench
        .ok(ATTACH, json!({"CALL_ID": call_id, "FILENAME": "1.mp3"}))
        .await;
    assert_eq!(offer["fieldName"], "file");
    let address = offer["uploadUrl"].as_str().unwrap();
    let address = address.replace("https://demo.bitrix24.ru", &bench.lab.base_url());
    let body = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"1.mp3\"\r\n\
                Content-Type: audio/mpeg\r\n\r\nlonger sound\r\n--b--\r\n";
    let upload = || {
        let request = bench.client.post(&address).body(body);
        request.header("Content-Type", "multipart/form-data; boundary=b")
    };
    let (status, answer) = Bench::answer(upload()).await;
    assert_eq!(status, 200, "{answer}");
    assert!(answer["result"]["FILE_ID"].is_number());
    assert_eq!((record(&bench).bytes, record(&bench).times), (12, 3));
    // A place takes one file.
    assert_eq!(Bench::answer(upload()).await.0, 400);
    for (body, expected) in [
        (
            json!({"CALL_ID": call_id}),
            "Required parameters are not set. Request should contain either URL or FILENAME parameter",
        ),
        (
            json!({"CALL_ID": call_id, "FILENAME": ""}),
            "File name is empty",
        ),
        (
            json!({"CALL_ID": call_id, "FILENAME": "1.ogg"}),
            "Wrong file extension. Only wav and mp3 are allowed",
        ),
        (
            json!({"CALL_ID": call_id, "FILENAME": "1.mp3", "FILE_CONTENT": "?"}),
            "File content is not properly encoded. Base64 encoding is expected.",
        ),
    ] {
        assert_eq!(bench.refused(ATTACH, body).await.2, expected);
    }
}

#[tokio::test]
async fn an_upload_ends_with_the_token_in_its_address() {
    let bench = Bench::start().await;
    let call_id = register(&bench, incoming("t1-1")).await;
    finish(&bench, &call_id, 5, "200").await;
    let offer = bench
        .ok(ATTACH, json!({"CALL_ID": call_id, "FILENAME": "1.mp3"}))
        .await;
    let address = offer["uploadUrl"].as_str().unwrap();
    let address = address.replace("https://demo.bitrix24.ru", &bench.lab.base_url());
    bench.lab.expire_access_tokens();
    let request = bench.client.post(&address).body("--b--");
    let (status, body) = Bench::answer(request).await;
    assert_eq!((status, &body["error"]), (401, &json!("expired_token")));
}

#[tokio::test]
async fn a_transcript_stands_at_a_finished_call() {
    let bench = Bench::start().await;
    let call_id = register(&bench, incoming("t1-1")).await;
    let line = json!({"SIDE": "Client", "START_TIME": 1, "STOP_TIME": 3, "MESSAGE": "Алло"});
    let body = json!({"CALL_ID": call_id, "MESSAGES": [line]});
    const TRANSCRIPT: &str = "telephony.call.attachTranscription";
    assert_eq!(bench.call(TRANSCRIPT, body.clone()).await.0, 400);
    finish(&bench, &call_id, 5, "200").await;
    assert_eq!(
        bench.ok(TRANSCRIPT, body).await,
        json!({"TRANSCRIPT_ID": 1})
    );
    let wrong = json!({"SIDE": "Robot", "START_TIME": 1, "STOP_TIME": 3, "MESSAGE": "Алло"});
    let body = json!({"CALL_ID": call_id, "MESSAGES": [wrong]});
    assert_eq!(bench.call(TRANSCRIPT, body).await.0, 400);
}

#[tokio::test]
async fn a_recording_may_be_too_large() {
    let bench = Bench::switched(|s| s.record_bytes_max = Some(4)).await;
    let call_id = register(&bench, incoming("t1-1")).await;
    finish(&bench, &call_id, 5, "200").await;
    let content = json!({"CALL_ID": call_id, "FILENAME": "1.wav", "FILE_CONTENT": "c291bmQ="});
    assert_eq!(bench.refused(ATTACH, content).await.2, "File is too large");
}
