// SPDX-License-Identifier: MIT
// The frames found do not depend on how the bytes were cut.
#include "engine/guest/protocol.h"

#include <cstdlib>
#include <memory>

using isol8::guest::FrameParser;

namespace {

struct Sum {
    std::uint64_t hash = 14695981039346656037ULL;
    bool isMalformed = false;

    void add(std::uint64_t value) { hash = (hash ^ value) * 1099511628211ULL; }
    bool operator==(const Sum&) const = default;
};

Sum sumOf(const std::uint8_t* data, std::size_t size, std::size_t pieceBytes)
{
    const auto parser = std::make_unique<FrameParser>();
    Sum sum;
    while (size > 0 && !sum.isMalformed) {
        const std::uint8_t* at = data;
        std::size_t left = size < pieceBytes ? size : pieceBytes;
        data += left;
        size -= left;
        for (;;) {
            const auto status = parser->feed(at, left);
            if (status == FrameParser::Status::NeedMore)
                break;
            if (status == FrameParser::Status::Malformed) {
                sum.isMalformed = true;
                break;
            }
            const auto& header = parser->header();
            sum.add(static_cast<std::uint64_t>(header.type));
            sum.add(static_cast<std::uint64_t>(header.stream));
            sum.add(header.id);
            for (std::uint32_t i = 0; i < header.length; ++i)
                sum.add(parser->payload()[i]);
        }
    }
    return sum;
}

} // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***)
{
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const Sum whole = sumOf(data, size, size + 1);
    for (const std::size_t pieceBytes : { 1, 2, 3, 11, 12, 13, 4096 }) {
        if (sumOf(data, size, pieceBytes) != whole)
            std::abort();
    }
    return 0;
}
