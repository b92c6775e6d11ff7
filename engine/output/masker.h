// SPDX-License-Identifier: MIT
#pragma once

#include "engine/output/secretset.h"

namespace isol8 {

/// Replaces secrets in one stream of bytes by `***`, wherever it was cut. Matches that overlap
/// become one `***`, so no part of either stays. Bytes that could be the beginning of a secret wait
/// for what follows: at most the longest secret less one byte.
class Masker {
public:
    explicit Masker(SecretSet secrets);

    /// What may be shown after @p bytes came.
    [[nodiscard]] QByteArray feed(const QByteArray& bytes);
    /// The end: what still waited.
    [[nodiscard]] QByteArray flush();

    [[nodiscard]] qint64 waitingBytes() const { return m_waiting.size(); }

private:
    /// Bytes of m_waiting from start up to, not with, end.
    struct Span {
        qint64 start = 0;
        qint64 end = 0;
        bool isShown = false; ///< Its `***` has already been given out.
    };

    void addMatch(qint64 start, qint64 end);
    [[nodiscard]] QByteArray take(qint64 size);

    SecretSet m_secrets;
    QByteArray m_waiting;
    QList<Span> m_spans; ///< In order, without overlap.
    qint32 m_state = 0;
};

} // namespace isol8
