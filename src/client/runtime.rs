//! Replaces what `std` would add to a wasm module, in a few hundred bytes: an allocator and, without
//! `std`, a panic handler.

#![allow(unsafe_code, reason = "an allocator hands out memory")]

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr::null_mut;

/// An allocator whose blocks are powers of two, from 16 bytes on. A freed block goes to a list for
/// its size and is reused from there. For each size it holds no more blocks than were once in use at
/// the same time.
struct Blocks {
    free: UnsafeCell<[*mut u8; 32]>,
    next: UnsafeCell<usize>,
    end: UnsafeCell<usize>,
}

// SAFETY: a wasm module has no threads.
unsafe impl Sync for Blocks {}

impl Blocks {
    const fn new() -> Self {
        Self {
            free: UnsafeCell::new([null_mut(); 32]),
            next: UnsafeCell::new(0),
            end: UnsafeCell::new(0),
        }
    }
}

#[cfg(not(test))]
#[global_allocator]
static BLOCKS: Blocks = Blocks::new();

const PAGE: usize = 65_536;
/// The largest alignment of a block.
const ALIGNED: usize = 16;

fn class(layout: Layout) -> usize {
    let size = layout.size().max(ALIGNED);
    (usize::BITS - (size - 1).leading_zeros()) as usize
}

// SAFETY: a block of a class has the size of the class and an alignment of 16. It is either on a free
// list or in use, never both. A larger alignment is refused.
unsafe impl GlobalAlloc for Blocks {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let class = class(layout);
        if layout.align() > ALIGNED {
            return null_mut();
        }
        // SAFETY: no references to these outlive a call, and calls do not overlap.
        unsafe {
            let Some(list) = (*self.free.get()).get_mut(class) else {
                return null_mut();
            };
            if !list.is_null() {
                let block = *list;
                *list = *block.cast::<*mut u8>();
                return block;
            }
            let size = 1_usize << class;
            let (next, end) = (self.next.get(), self.end.get());
            let mut start = *next;
            if *end - start < size {
                let pages = size.div_ceil(PAGE);
                let before = core::arch::wasm32::memory_grow(0, pages);
                if before == usize::MAX {
                    return null_mut();
                }
                // If something else grew the memory in the meantime, the rest of the last page is
                // lost.
                if before * PAGE != *end {
                    start = before * PAGE;
                }
                *end = (before + pages) * PAGE;
            }
            *next = start + size;
            start as *mut u8
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block belongs to the caller, is of this class and has at least 16 bytes.
        unsafe {
            if let Some(list) = (*self.free.get()).get_mut(class(layout)) {
                *block.cast::<*mut u8>() = *list;
                *list = block;
            }
        }
    }
}

#[cfg(all(not(test), feature = "browser"))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

#[cfg(test)]
mod tests {
    use super::{ALIGNED, Blocks};
    use std::alloc::{GlobalAlloc, Layout};
    use wasm_bindgen_test::wasm_bindgen_test;

    /// Fills each block with its own number and checks later that the number is still there.
    #[wasm_bindgen_test]
    fn blocks_never_overlap() {
        let blocks = Blocks::new();
        let mut held = Vec::new();
        let mut seed = 1_u32;
        for number in 0..20_000_u32 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let draw = (seed >> 8) as usize;
            if draw.is_multiple_of(3) && !held.is_empty() {
                let (block, layout, byte): (*mut u8, Layout, u8) =
                    held.swap_remove(draw % held.len());
                // SAFETY: allocated below with this layout, and freed once.
                let text = unsafe { std::slice::from_raw_parts(block, layout.size()) };
                assert!(text.iter().all(|&found| found == byte));
                unsafe { blocks.dealloc(block, layout) };
            } else {
                let size = if number.is_multiple_of(500) {
                    70_000
                } else {
                    1 + draw % 900
                };
                let layout = Layout::from_size_align(size, 8).unwrap();
                // SAFETY: the size is not zero.
                let block = unsafe { blocks.alloc(layout) };
                assert!(!block.is_null() && block.align_offset(ALIGNED) == 0);
                // SAFETY: the block is ours and has that size.
                unsafe { block.write_bytes(number as u8, size) };
                held.push((block, layout, number as u8));
            }
        }
    }

    #[wasm_bindgen_test]
    fn freed_blocks_are_used_again() {
        let blocks = Blocks::new();
        let layout = Layout::from_size_align(100, 8).unwrap();
        // SAFETY: sizes are not zero, and blocks are freed once and not used afterwards.
        unsafe {
            let first = blocks.alloc(layout);
            blocks.dealloc(first, layout);
            assert_eq!(
                blocks.alloc(Layout::from_size_align(128, 1).unwrap()),
                first
            );
            assert!(
                blocks
                    .alloc(Layout::from_size_align(1, 32).unwrap())
                    .is_null()
            );
        }
    }
}
