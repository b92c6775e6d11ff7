// SPDX-License-Identifier: MIT
#pragma once

#include "engine/docker/attachedstream.h"
#include "engine/sandbox/guestconnection.h"

#include <memory>

namespace isol8 {

/// Carries the conversation with a guest over Docker's attached stream. Owned by the
/// GuestConnection. What comes on standard error is not the guest's conversation: its start is
/// logged, the rest dropped.
class DockerTransport final : public GuestTransport {
    Q_OBJECT

public:
    explicit DockerTransport(std::shared_ptr<docker::AttachedStream> stream);
    ~DockerTransport() override;

    void write(const QByteArray& bytes) override;
    [[nodiscard]] qint64 pendingBytes() const override;
    void setReading(bool isReading) override;
    void close() override;

private:
    std::shared_ptr<docker::AttachedStream> m_stream;
    int m_loggedBytes = 0;
};

} // namespace isol8
