//! A form with one file in it (`multipart/form-data`, RFC 7578), as uploads take it.
//!
//! The whole of it lies in memory while it is sent, so that whoever makes one sees to its size.

use std::io::{self, Read};

use bytes::Bytes;

/// A form that holds a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileForm {
    /// The content type, which names the boundary.
    pub content_type: String,
    /// The body.
    pub body: Bytes,
}

impl FileForm {
    /// Reads a file into a form. It may be no longer than `bytes_max`; `None` = it is.
    pub fn read(part: &FilePart<'_>, bytes_max: u64) -> io::Result<Option<Self>> {
        // Sixteen random bytes: no content holds them but by design, and nobody knows them before.
        let boundary = format!("trunkline-{}", uuid::Uuid::now_v7().simple());
        let mut body = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"; filename=\"{}\"\r\n\
             Content-Type: {}\r\n\r\n",
            quoted(part.field),
            quoted(part.name),
            part.content_type,
        )
        .into_bytes();
        let length = part.file.metadata()?.len();
        if length > bytes_max {
            return Ok(None);
        }
        body.reserve(
            usize::try_from(length)
                .unwrap_or_default()
                .saturating_add(100),
        );
        let read = part
            .file
            .take(bytes_max.saturating_add(1))
            .read_to_end(&mut body)?;
        if u64::try_from(read).unwrap_or(u64::MAX) > bytes_max {
            return Ok(None);
        }
        body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        Ok(Some(Self {
            content_type: format!("multipart/form-data; boundary={boundary}"),
            body: Bytes::from(body),
        }))
    }
}

/// The file of a form.
#[derive(Debug)]
pub struct FilePart<'a> {
    /// The field's name.
    pub field: &'a str,
    /// The file's name, as it is shown there.
    pub name: &'a str,
    /// Its media type.
    pub content_type: &'a str,
    /// The file, at its begin.
    pub file: &'a std::fs::File,
}

/// As browsers write names: what would end the quotes or the line is written by its number.
fn quoted(text: &str) -> String {
    text.replace('"', "%22")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use std::io::{Seek as _, Write as _};

    use super::*;

    fn file(content: &[u8]) -> std::fs::File {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(content).expect("written");
        file.rewind().expect("rewound");
        file
    }

    fn part<'a>(file: &'a std::fs::File, name: &'a str) -> FilePart<'a> {
        FilePart {
            field: "file",
            name,
            content_type: "audio/mpeg",
            file,
        }
    }

    #[test]
    fn a_file_is_between_the_boundaries_as_it_is() {
        let sound = file(b"\r\n--sound\0\xff");
        let form = FileForm::read(&part(&sound, "a.mp3"), 100);
        let form = form.expect("readable").expect("short");
        let (_, boundary) = form.content_type.split_once("boundary=").expect("named");
        let expected = [
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; \
                 filename=\"a.mp3\"\r\nContent-Type: audio/mpeg\r\n\r\n"
            )
            .into_bytes(),
            b"\r\n--sound\0\xff".to_vec(),
            format!("\r\n--{boundary}--\r\n").into_bytes(),
        ]
        .concat();
        assert_eq!(form.body, expected);
    }

    #[test]
    fn a_name_cannot_end_its_quotes_or_its_line() {
        let sound = file(b"x");
        let form = FileForm::read(&part(&sound, "a\"\r\nEvil: 1.mp3"), 100);
        let form = form.expect("readable").expect("short");
        let text = String::from_utf8_lossy(&form.body).into_owned();
        assert!(
            text.contains("filename=\"a%22%0D%0AEvil: 1.mp3\""),
            "{text}"
        );
    }

    #[test]
    fn a_file_that_is_too_long_is_not_read() {
        let sound = file(&[1; 101]);
        assert_eq!(
            FileForm::read(&part(&sound, "a.mp3"), 100).expect("readable"),
            None
        );
    }
}
