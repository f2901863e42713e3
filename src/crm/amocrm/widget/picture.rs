//! The pictures that a widget must have (`crm/amocrm.md` §17): a mark on a plain ground, drawn here,
//! so that no drawing lies in the program six times.

use std::io::Write as _;

use flate2::Compression;
use flate2::Crc;
use flate2::write::ZlibEncoder;

const GROUND: [u8; 3] = [0x1f, 0x4e, 0x8c];
const MARK: [u8; 3] = [0xff, 0xff, 0xff];

/// Draws a picture as PNG.
pub(super) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut rows = Vec::new();
    for y in 0..height {
        // No filter.
        rows.push(0);
        for x in 0..width {
            let colour = if is_mark(x, y, width, height) {
                MARK
            } else {
                GROUND
            };
            rows.extend(colour);
        }
    }
    let mut head = Vec::new();
    head.extend(width.to_be_bytes());
    head.extend(height.to_be_bytes());
    // Eight bits of red, green and blue; the usual methods, not interlaced.
    head.extend([8, 2, 0, 0, 0]);
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut png, b"IHDR", &head);
    chunk(&mut png, b"IDAT", &packed(&rows));
    chunk(&mut png, b"IEND", &[]);
    png
}

/// A T in the middle.
fn is_mark(x: u32, y: u32, width: u32, height: u32) -> bool {
    let side = width.min(height);
    let (left, top) = ((width - side) / 2, (height - side) / 2);
    let (Some(x), Some(y)) = (x.checked_sub(left), y.checked_sub(top)) else {
        return false;
    };
    // In hundredths of the side.
    let (x, y) = (x * 100 / side.max(1), y * 100 / side.max(1));
    let bar = (25..75).contains(&x) && (25..37).contains(&y);
    let stem = (44..56).contains(&x) && (25..78).contains(&y);
    bar || stem
}

fn packed(rows: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    // Writing into memory cannot fail.
    let _ = encoder.write_all(rows);
    encoder.finish().unwrap_or_default()
}

fn chunk(png: &mut Vec<u8>, name: &[u8; 4], data: &[u8]) {
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    png.extend(length.to_be_bytes());
    png.extend(name);
    png.extend(data);
    let mut sum = Crc::new();
    sum.update(name);
    sum.update(data);
    png.extend(sum.sum().to_be_bytes());
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::ZlibDecoder;

    use super::*;

    #[test]
    fn a_picture_has_the_size_that_is_wanted_and_every_dot() {
        let png = png(84, 40);
        assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
        assert_eq!(&png[16..24], &[0, 0, 0, 84, 0, 0, 0, 40]);
        let length = u32::from_be_bytes(png[33..37].try_into().expect("four"));
        let data = &png[41..41 + length as usize];
        let mut rows = Vec::new();
        ZlibDecoder::new(data)
            .read_to_end(&mut rows)
            .expect("packed");
        assert_eq!(rows.len(), 40 * (1 + 84 * 3));
        assert!(rows.chunks(1 + 84 * 3).any(|row| row[1..].contains(&0xff)));
    }
}
