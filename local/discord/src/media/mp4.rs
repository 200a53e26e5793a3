//! MP4 and QuickTime: `ftyp`, `moov` with one video track, `mdat`.

use super::layout::Layout;
use crate::file::File;

const TIMESCALE: u32 = 1_000;
/// The identity matrix of `mvhd` and `tkhd`: no rotation.
const MATRIX: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];

pub(super) fn layout(file: &File, brand: &[u8; 4]) -> Layout {
    let ftyp = boxed(b"ftyp", &[brand, &[0, 0, 2, 0][..], brand].concat());
    let moov = moov(file);
    let fixed = (ftyp.len() + moov.len() + 8) as u64;
    let n_zeros = file
        .size_bytes
        .saturating_sub(fixed)
        .min(u64::from(u32::MAX) - 8);
    let mdat = [&(n_zeros as u32 + 8).to_be_bytes()[..], b"mdat"].concat();

    if file.moov_at_end {
        Layout {
            head: [ftyp, mdat].concat(),
            n_zeros,
            tail: moov,
        }
    } else {
        Layout {
            head: [ftyp, moov, mdat].concat(),
            n_zeros,
            tail: Vec::new(),
        }
    }
}

fn moov(file: &File) -> Vec<u8> {
    let duration = u32::try_from(file.duration_ms.unwrap_or(0)).unwrap_or(u32::MAX);
    let (width, height) = file.dimensions.unwrap_or_default();
    boxed(
        b"moov",
        &[mvhd(duration), trak(duration, width, height)].concat(),
    )
}

fn mvhd(duration: u32) -> Vec<u8> {
    let mut words = vec![0, 0, 0, TIMESCALE, duration, 0x1_0000, 0x0100_0000, 0, 0];
    words.extend(MATRIX);
    words.extend([0, 0, 0, 0, 0, 0, 2]);
    boxed(b"mvhd", &bytes(&words))
}

fn trak(duration: u32, width: u64, height: u64) -> Vec<u8> {
    // Version 0, and flags for a track that is enabled and shown.
    let mut tkhd = vec![0x0000_0007, 0, 0, 1, 0, duration, 0, 0, 0, 0];
    tkhd.extend(MATRIX);
    tkhd.extend([(width as u32) << 16, (height as u32) << 16]);

    let mdhd = bytes(&[0, 0, 0, TIMESCALE, duration, 0x55c4_0000]);
    let hdlr = [&bytes(&[0, 0])[..], b"vide", &[0; 12], b"VideoHandler\0"].concat();
    let dref = [bytes(&[0, 1]), boxed(b"url ", &bytes(&[1]))].concat();
    let tables = [b"stsd", b"stts", b"stsc", b"stco"].map(|name| boxed(name, &[0; 8]));
    let minf = [
        boxed(b"vmhd", &bytes(&[1, 0, 0])),
        boxed(b"dinf", &boxed(b"dref", &dref)),
        boxed(
            b"stbl",
            &[tables.concat(), boxed(b"stsz", &[0; 12])].concat(),
        ),
    ];
    let mdia = [
        boxed(b"mdhd", &mdhd),
        boxed(b"hdlr", &hdlr),
        boxed(b"minf", &minf.concat()),
    ];
    let trak = [
        boxed(b"tkhd", &bytes(&tkhd)),
        boxed(b"mdia", &mdia.concat()),
    ];
    boxed(b"trak", &trak.concat())
}

fn boxed(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let size = (body.len() + 8) as u32;
    [&size.to_be_bytes()[..], name, body].concat()
}

fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}
