// SPDX-License-Identifier: MIT
#include "engine/docker/streamdemux.h"

#include <QtEndian>

#include <algorithm>
#include <cstring>

namespace isol8::docker {

using namespace Qt::StringLiterals;

Result<std::optional<StreamDemux::Piece>> StreamDemux::next(QByteArrayView& input)
{
    while (m_left == 0) {
        const auto taken = std::min(headerBytes - m_have, input.size());
        if (taken == 0)
            return std::nullopt;
        std::memcpy(m_header + m_have, input.data(), size_t(taken));
        m_have += taken;
        input = input.sliced(taken);
        if (m_have < headerBytes)
            return std::nullopt;

        m_have = 0;
        // 0 is standard input, echoed to standard output; 3 would be an error of the daemon itself.
        if (m_header[0] > 2 || m_header[1] != 0 || m_header[2] != 0 || m_header[3] != 0)
            return failure(
                Kind::Protocol, u"Docker's attached stream is not multiplexed as it should be"_s);
        m_stream = m_header[0] == 2 ? Stream::Stderr : Stream::Stdout;
        m_left = qsizetype(qFromBigEndian<quint32>(m_header + 4));
    }
    if (input.isEmpty())
        return std::nullopt;
    const Piece piece { m_stream, input.first(std::min(m_left, input.size())) };
    m_left -= piece.bytes.size();
    input = input.sliced(piece.bytes.size());
    return piece;
}

} // namespace isol8::docker
