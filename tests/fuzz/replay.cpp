// SPDX-License-Identifier: MIT
// Stands in for libFuzzer where the compiler has none: runs a target over every file of a corpus,
// and over each file cut short and with each byte changed.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments);

int main(int count, char** arguments)
{
    LLVMFuzzerInitialize(&count, &arguments);
    constexpr std::size_t maxVariants = 400;
    std::size_t files = 0;
    for (int i = 1; i < count; ++i) {
        for (const auto& entry : std::filesystem::directory_iterator(arguments[i])) {
            std::ifstream file(entry.path(), std::ios::binary);
            std::vector<std::uint8_t> bytes { std::istreambuf_iterator<char>(file), {} };
            LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
            const std::size_t step = bytes.size() / maxVariants + 1;
            for (std::size_t at = 0; at < bytes.size(); at += step) {
                // A buffer of exactly this size, so that a sanitizer sees a read behind it.
                const std::vector<std::uint8_t> cut(
                    bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
                LLVMFuzzerTestOneInput(cut.data(), cut.size());
                bytes[at] ^= 0x81;
                LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
                bytes[at] ^= 0x81;
            }
            ++files;
        }
    }
    std::printf("%zu files\n", files);
    return files > 0 ? 0 : 1;
}
