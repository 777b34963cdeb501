//! What `std` would bring to a wasm module: an allocator and a panic handler, in 200 bytes.

#![allow(unsafe_code, reason = "an allocator hands out memory")]

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr::null_mut;

/// Blocks are powers of two, from 16 bytes on; a freed block goes to a list of its size and is handed
/// out again from there. Never more is held than the most that was in use at once, of each size.
struct Blocks {
    free: UnsafeCell<[*mut u8; 32]>,
    next: UnsafeCell<usize>,
    end: UnsafeCell<usize>,
}

// SAFETY: a wasm module without threads.
unsafe impl Sync for Blocks {}

#[global_allocator]
static BLOCKS: Blocks = Blocks {
    free: UnsafeCell::new([null_mut(); 32]),
    next: UnsafeCell::new(0),
    end: UnsafeCell::new(0),
};

const PAGE: usize = 65_536;

fn class(layout: Layout) -> usize {
    let size = layout.size().max(layout.align()).max(16);
    (usize::BITS - (size - 1).leading_zeros()) as usize
}

// SAFETY: a block of a class is as large as the class says, aligned to 16 at least (to its own size
// where the layout asks for more than 16), and on a free list or in use, never both.
unsafe impl GlobalAlloc for Blocks {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let class = class(layout);
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
                // What is left of the last page is lost if others grew the memory meanwhile.
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
        // SAFETY: the block is the caller's, of this class, and at least 16 bytes.
        unsafe {
            if let Some(list) = (*self.free.get()).get_mut(class(layout)) {
                *block.cast::<*mut u8>() = *list;
                *list = block;
            }
        }
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
