// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/task.h"
#include "engine/docker/client.h"
#include "engine/sandbox/directaccess.h"
#include "engine/sandbox/guestconnection.h"

#include <memory>

namespace isol8 {

/// A running container with an open conversation to its guest. Shared by the coroutines that use
/// it. A sandbox that is neither destroyed nor released takes its container along when it goes,
/// through the guest, which ends with its stream.
class Sandbox {
public:
    /// Of a container that runs, and an open conversation with its guest.
    Sandbox(std::shared_ptr<docker::Client> client, QString containerId,
        std::unique_ptr<GuestConnection> guest);

    /// Creates, attaches to and starts a container as @p spec says, under @p name. A bind mount
    /// without a source gets the folder of a direct socket from @p access, or is left out. On any
    /// failure and on cancel nothing of it is left. Kind::NotFound: no such image.
    [[nodiscard]] static Task<std::shared_ptr<Sandbox>> create(
        std::shared_ptr<docker::Client> client, std::shared_ptr<DirectAccess> access,
        docker::ContainerSpec spec, QString name, CancelToken cancel);

    /// Takes over a running container whose guest lingers; @p socket: in the folder that is mounted
    /// there, or null.
    [[nodiscard]] static Task<std::shared_ptr<Sandbox>> takeOver(
        std::shared_ptr<docker::Client> client, std::unique_ptr<DirectSocket> socket,
        QString containerId, CancelToken cancel);
    /// The first host of a container @p name whose guest waits for one, for @p greetingLimit.
    [[nodiscard]] static Task<std::shared_ptr<Sandbox>> meet(std::shared_ptr<docker::Client> client,
        QString name, std::chrono::milliseconds greetingLimit, CancelToken cancel);

    ~Sandbox();
    Q_DISABLE_COPY_MOVE(Sandbox)

    [[nodiscard]] const QString& containerId() const { return m_containerId; }
    /// Of a container that was met by its name.
    void setContainerId(const QString& id) { m_containerId = id; }
    [[nodiscard]] GuestConnection& guest() { return *m_guest; }
    [[nodiscard]] bool isOpen() const { return m_guest && m_guest->isOpen(); }

    /// Ends the container and waits until Docker has removed it.
    [[nodiscard]] static Task<> destroy(std::shared_ptr<Sandbox> sandbox);

    /// Ends the container, which Docker then removes, without waiting for that.
    void end();
    /// Ends the conversation. A lingering guest waits for its next host; any other ends with it,
    /// and Docker removes the container.
    void release();

private:
    std::shared_ptr<docker::Client> m_client;
    QString m_containerId;
    std::unique_ptr<GuestConnection> m_guest;
};

} // namespace isol8
