//! How many bytes of journals the server holds at once, and unpacking them without trusting them.

use std::io::Read as _;
use std::sync::Arc;

use axum::http::StatusCode;
use steplog_protocol::MAX_INGEST_DECODED_BYTES;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::ApiError;

/// Bytes of journals in memory on their way to the store, all requests together.
const MAX_IN_FLIGHT_BYTES: usize = 256 << 20;

/// What is reserved at a time.
const UNIT_BYTES: usize = 64 << 10;

/// Largest window that a zstd frame may ask for: 2^26 bytes, as much as a whole request may hold.
const MAX_WINDOW_LOG: u32 = 26;

/// The budget of all ingest requests.
#[derive(Debug)]
pub(crate) struct InFlight(Arc<Semaphore>);

impl Default for InFlight {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_IN_FLIGHT_BYTES / UNIT_BYTES)))
    }
}

/// Room that a request has taken; given back when dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    permit: OwnedSemaphorePermit,
    semaphore: Arc<Semaphore>,
}

impl InFlight {
    pub(crate) fn reserve(&self, bytes: usize) -> Result<Reservation, ApiError> {
        Ok(Reservation { permit: acquire(&self.0, bytes)?, semaphore: self.0.clone() })
    }
}

impl Reservation {
    /// Makes room for `bytes` in all.
    fn grow(&mut self, bytes: usize) -> Result<(), ApiError> {
        let reserved = self.permit.num_permits() * UNIT_BYTES;
        if bytes > reserved {
            self.permit.merge(acquire(&self.semaphore, bytes - reserved)?);
        }
        Ok(())
    }
}

fn acquire(semaphore: &Arc<Semaphore>, bytes: usize) -> Result<OwnedSemaphorePermit, ApiError> {
    let units = u32::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX);
    let permit = semaphore.clone().try_acquire_many_owned(units);
    permit.map_err(|_| ApiError::unavailable("too many journals are being taken in at once"))
}

/// Unpacks a body piece by piece, so that a small one cannot become large before anybody looks.
pub(crate) fn decode_zstd(body: &[u8], reservation: &mut Reservation) -> Result<Vec<u8>, ApiError> {
    let refuse = |error: std::io::Error| ApiError::invalid(format!("the body is not good zstd: {error}"));
    let mut decoder = zstd::Decoder::with_buffer(body).map_err(refuse)?;
    decoder.window_log_max(MAX_WINDOW_LOG).map_err(refuse)?;
    let packed = body.len();
    let mut bytes = Vec::new();
    loop {
        reservation.grow(packed + bytes.len() + UNIT_BYTES)?;
        let piece = (&mut decoder).take(UNIT_BYTES as u64).read_to_end(&mut bytes).map_err(refuse)?;
        if bytes.len() > MAX_INGEST_DECODED_BYTES {
            return Err(too_large());
        }
        if piece == 0 {
            return Ok(bytes);
        }
    }
}

fn too_large() -> ApiError {
    let message = format!("the body unpacks to more than {} MiB", MAX_INGEST_DECODED_BYTES >> 20);
    ApiError::invalid(message).hint("send the journal in smaller pieces").status(StatusCode::PAYLOAD_TOO_LARGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(bytes: &[u8]) -> Vec<u8> {
        zstd::encode_all(bytes, 1).expect("packing into memory")
    }

    #[test]
    fn what_was_packed_is_unpacked() {
        let in_flight = InFlight::default();
        let bytes: Vec<u8> = (0..1_000_000u32).map(|n| ((n * n) >> 7) as u8).collect();
        let mut reservation = in_flight.reserve(10).expect("room");
        assert_eq!(decode_zstd(&pack(&bytes), &mut reservation).expect("good zstd"), bytes);
        let reserved = reservation.permit.num_permits() * UNIT_BYTES;
        assert!(reserved > bytes.len(), "{reserved}");
        drop(reservation);
        assert_eq!(in_flight.0.available_permits(), MAX_IN_FLIGHT_BYTES / UNIT_BYTES);
    }

    #[test]
    fn a_bomb_is_refused_without_unpacking_it() {
        let bomb = pack(&vec![0; MAX_INGEST_DECODED_BYTES + 1]);
        assert!(bomb.len() < 64 << 10);
        let mut reservation = InFlight::default().reserve(0).expect("room");
        let message = format!("{:?}", decode_zstd(&bomb, &mut reservation).expect_err("too large"));
        assert!(message.contains("the body unpacks to more than 64 MiB"), "{message}");
    }

    #[test]
    fn a_frame_that_is_cut_short_is_refused() {
        let packed = pack(b"many bytes, many bytes, many bytes");
        let mut reservation = InFlight::default().reserve(0).expect("room");
        for cut in 1..packed.len() {
            assert!(decode_zstd(&packed[..cut], &mut reservation).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn a_full_budget_asks_the_client_to_come_back() {
        let in_flight = InFlight::default();
        let all = in_flight.reserve(MAX_IN_FLIGHT_BYTES).expect("room");
        assert!(in_flight.reserve(1).is_err());
        drop(all);
        assert!(in_flight.reserve(1).is_ok());
    }
}
