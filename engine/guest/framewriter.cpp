// SPDX-License-Identifier: MIT
#include "engine/guest/framewriter.h"

#include <cerrno>
#include <unistd.h>

namespace isol8::guest {

void FrameWriter::control(
    Type type, std::uint32_t id, const void* payload, std::size_t size, Stream stream)
{
    unsigned char* to = claim(headerBytes + size);
    if (!to)
        return;
    unsigned char header[headerBytes];
    encodeHeader(header, { type, stream, id, static_cast<std::uint32_t>(size) });
    std::memcpy(to, header, headerBytes);
    if (size > 0)
        std::memcpy(to + headerBytes, payload, size);
    m_end += headerBytes + size;
}

void FrameWriter::verdict(Type type, std::uint32_t id, int error, const char* text)
{
    constexpr std::size_t maxTextBytes = 512;
    unsigned char payload[4 + maxTextBytes];
    storeU32(payload, static_cast<std::uint32_t>(error));
    const std::size_t length = strnlen(text, maxTextBytes);
    std::memcpy(payload + 4, text, length);
    control(type, id, payload, 4 + length);
}

unsigned char* FrameWriter::beginData()
{
    unsigned char* to = claim(headerBytes + maxPayloadBytes);
    return to ? to + headerBytes : nullptr;
}

void FrameWriter::commitData(Type type, std::uint32_t id, Stream stream, std::size_t size)
{
    unsigned char header[headerBytes];
    encodeHeader(header, { type, stream, id, static_cast<std::uint32_t>(size) });
    std::memcpy(m_buffer + m_end, header, headerBytes);
    m_end += headerBytes + size;
}

bool FrameWriter::flush()
{
    while (m_begin < m_end) {
        const ssize_t written = write(m_fd, m_buffer + m_begin, m_end - m_begin);
        if (written < 0)
            return errno == EAGAIN || errno == EINTR;
        m_begin += static_cast<std::size_t>(written);
    }
    clear();
    return true;
}

unsigned char* FrameWriter::claim(std::size_t size)
{
    if (size > room())
        return nullptr;
    if (size > capacityBytes - m_end) {
        std::memmove(m_buffer, m_buffer + m_begin, m_end - m_begin);
        m_end -= m_begin;
        m_begin = 0;
    }
    return m_buffer + m_end;
}

} // namespace isol8::guest
