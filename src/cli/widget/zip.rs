//! Writes an archive (ZIP) of a few small files, each as it is: no packing, no dates, so that the same
//! files make the same archive.

use flate2::Crc;

use crate::crm::WidgetFile;

/// The first of January 1980: the least date that the form knows.
const DATE: u16 = 0x0021;

/// Names are UTF-8.
const FLAGS: u16 = 1 << 11;

/// The version of the form that is needed to read it.
const VERSION: u16 = 20;

/// Packs files; `None` where they are more than the plain form holds.
pub(super) fn pack(files: &[WidgetFile]) -> Option<Vec<u8>> {
    let mut archive = Vec::new();
    let mut list = Vec::new();
    for file in files {
        let at = u32::try_from(archive.len()).ok()?;
        let mut sum = Crc::new();
        sum.update(&file.bytes);
        let length = u32::try_from(file.bytes.len()).ok()?;
        let name = u16::try_from(file.name.len()).ok()?;
        // What stands before the file and in the list alike.
        let mut facts = Vec::new();
        for number in [VERSION, FLAGS, 0, 0, DATE] {
            facts.extend(number.to_le_bytes());
        }
        for number in [sum.sum(), length, length] {
            facts.extend(number.to_le_bytes());
        }
        facts.extend(name.to_le_bytes());
        facts.extend(0_u16.to_le_bytes());
        archive.extend(b"PK\x03\x04");
        archive.extend(&facts);
        archive.extend(file.name.as_bytes());
        archive.extend(&file.bytes);
        list.extend(b"PK\x01\x02");
        list.extend(VERSION.to_le_bytes());
        list.extend(&facts);
        // No remark, the first disk, no attributes.
        list.extend([0_u8; 10]);
        list.extend(at.to_le_bytes());
        list.extend(file.name.as_bytes());
    }
    let (begins, length) = (
        u32::try_from(archive.len()).ok()?,
        u32::try_from(list.len()).ok()?,
    );
    let count = u16::try_from(files.len()).ok()?;
    archive.extend(&list);
    archive.extend(b"PK\x05\x06\0\0\0\0");
    archive.extend(count.to_le_bytes());
    archive.extend(count.to_le_bytes());
    archive.extend(length.to_le_bytes());
    archive.extend(begins.to_le_bytes());
    archive.extend(0_u16.to_le_bytes());
    Some(archive)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Vec<WidgetFile> {
        [("manifest.json", "{}"), ("i18n/ru.json", "{\"a\":\"б\"}")]
            .map(|(name, text)| WidgetFile {
                name: name.to_owned(),
                bytes: text.as_bytes().to_vec(),
            })
            .to_vec()
    }

    #[test]
    fn an_archive_is_the_same_each_time_and_holds_the_files_as_they_are() {
        let archive = pack(&files()).expect("small");
        assert_eq!(archive, pack(&files()).expect("small"));
        let holds = |part: &[u8]| archive.windows(part.len()).filter(|w| *w == part).count();
        assert_eq!(holds(b"PK\x03\x04"), 2);
        assert_eq!(holds(b"PK\x01\x02"), 2);
        assert_eq!(holds(b"manifest.json"), 2);
        assert_eq!(holds("{\"a\":\"б\"}".as_bytes()), 1);
        // The end names the list: how many, how long, and where it begins.
        let end = &archive[archive.len() - 22..];
        assert_eq!(&end[..4], b"PK\x05\x06");
        assert_eq!(&end[8..12], &[2, 0, 2, 0]);
        let begins = u32::from_le_bytes(end[16..20].try_into().expect("four")) as usize;
        assert_eq!(&archive[begins..begins + 4], b"PK\x01\x02");
    }
}
