"""Ask the processor to fetch a cache line before it is needed.

Records of a capture lie a few hundred bytes apart, and where the next one is stands in the one before: without
help each header is a wait for main memory. Fetching every line some KiB ahead turns the walk into a stream
(measured 2026-11 on a 404 MB capture: 106 ns a record without, 29 ns with 4 KiB ahead).
"""

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

LINE = 64  # bytes a cache line on every processor that numba supports with good speed
AHEAD = 4096  # bytes; from 2 KiB on the gain is flat


@intrinsic
def prefetch(typingctx, array, index, offset):
    """Fetch the line `offset` bytes behind ``array[index]``; never faults, whatever `index` is."""
    signature = types.void(array, index, offset)

    def codegen(context, builder, sig, args):
        data = context.make_array(sig.args[0])(context, builder, args[0]).data
        byte = ir.IntType(8).as_pointer()
        i32 = ir.IntType(32)
        item = builder.bitcast(builder.gep(data, [args[1]]), byte)
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.VoidType(), [byte, i32, i32, i32]), "llvm.prefetch.p0i8"
        )
        # arguments: read, moderate locality, data cache (LLVM language reference, llvm.prefetch)
        builder.call(function, [builder.gep(item, [args[2]]), i32(0), i32(2), i32(1)])
        return context.get_dummy_value()

    return signature, codegen
