// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/task.h"
#include "engine/docker/endpoint.h"
#include "engine/docker/types.h"

#include <QJsonObject>

#include <chrono>
#include <memory>

namespace isol8::docker {

class AttachedStream;

/// Docker's HTTP API (1.41 and newer), one typed call a method. Connections are kept alive and
/// shared. The API version is settled by the first call, at the price of one refusal with Docker 29
/// and newer. Every call has a time limit (30 s to ask, 2 min to change something; archives,
/// builds, pulls and imports: of silence) and ends with Kind::Cancelled soon after its token is
/// cancelled, but Docker may have done by then what it was asked for. Docker's own sentence is in
/// the Error's message. Results come from the event loop. Owned by the engine; must live on the
/// event loop's thread. Destroying it ends what is under way with Kind::Cancelled.
class Client {
public:
    explicit Client(Endpoint endpoint);
    ~Client();
    Q_DISABLE_COPY_MOVE(Client)

    [[nodiscard]] const Endpoint& endpoint() const;

    // Daemon. `GET /version`, `GET /info`.
    [[nodiscard]] Task<ServerVersion> version(CancelToken cancel = {});
    [[nodiscard]] Task<ServerInfo> info(CancelToken cancel = {});

    /// `GET /events`: those that take a container or an image away from under its users. Ends only
    /// with an Error. @p listening is called when every later event will be told.
    [[nodiscard]] Task<> watchEvents(
        std::function<void()> listening, EventHandler handler, CancelToken cancel);

    // Containers. An id may be a name everywhere.
    /// The new container's id.
    [[nodiscard]] Task<QString> createContainer(
        ContainerSpec spec, QString name, CancelToken cancel = {});
    /// The same of what toJson() of a ContainerSpec gave, perhaps in another process.
    [[nodiscard]] Task<QString> createContainer(
        QJsonObject container, QString name, CancelToken cancel = {});
    /// One that runs already counts as success.
    [[nodiscard]] Task<> startContainer(QString id, CancelToken cancel = {});
    /// Kind::Conflict when it does not run.
    [[nodiscard]] Task<> killContainer(QString id, QString signal, CancelToken cancel = {});
    /// Removes it with its anonymous volumes, killing it if it runs. A container that is gone, or
    /// is being removed by somebody else, counts as success.
    [[nodiscard]] Task<> removeContainer(QString id, CancelToken cancel = {});
    [[nodiscard]] Task<> renameContainer(QString id, QString name, CancelToken cancel = {});
    [[nodiscard]] Task<ContainerDetails> inspectContainer(QString id, CancelToken cancel = {});
    /// The whole answer of inspect, for those who audit it.
    [[nodiscard]] Task<QJsonObject> inspectContainerRaw(QString id, CancelToken cancel = {});
    /// Containers in any state that carry all of @p labels (`name` or `name=value`).
    [[nodiscard]] Task<QList<ContainerSummary>> listContainers(
        QStringList labels, CancelToken cancel = {});
    /// Returns when the container is not running any more: its exit code. Has no time limit.
    [[nodiscard]] Task<int> waitContainer(QString id, CancelToken cancel = {});
    /// Unpacks @p tar below @p path; works on a container that was only created.
    [[nodiscard]] Task<> putArchive(
        QString id, QString path, QByteArray tar, CancelToken cancel = {});
    /// @p path as a tar; Kind::Limit when that is over @p maxBytes.
    [[nodiscard]] Task<QByteArray> fetchArchive(
        QString id, QString path, qint64 maxBytes, CancelToken cancel = {});
    /// Standard input, output and error of a container with OpenStdin, attached before it is
    /// started.
    [[nodiscard]] Task<std::shared_ptr<AttachedStream>> attach(QString id, CancelToken cancel = {});

    // Images.
    /// Kind::NotFound when there is none of that name.
    [[nodiscard]] Task<ImageDetails> inspectImage(QString name, CancelToken cancel = {});
    [[nodiscard]] Task<QList<ImageDetails>> listImages(QStringList labels, CancelToken cancel = {});
    [[nodiscard]] Task<> tagImage(
        QString name, QString repository, QString tag, CancelToken cancel = {});
    /// A missing image counts as success; Kind::Conflict while a container uses it.
    [[nodiscard]] Task<> removeImage(QString name, CancelToken cancel = {});
    /// Imports a root file system from the tar at @p tarPath as @p reference (`name:tag`, or empty)
    /// with Dockerfile instructions @p changes. The image's id.
    [[nodiscard]] Task<QString> importImage(QString tarPath, QString reference, QStringList changes,
        ProgressHandler progress, CancelToken cancel = {});
    /// The image's id. A failing step is Kind::Internal with the end of its output.
    [[nodiscard]] Task<QString> buildImage(
        BuildSpec spec, ProgressHandler progress, CancelToken cancel = {});
    /// The tag `latest` when @p name has none.
    [[nodiscard]] Task<> pullImage(QString name, ProgressHandler progress, CancelToken cancel = {});

    // Volumes.
    [[nodiscard]] Task<> createVolume(QString name, Labels labels, CancelToken cancel = {});
    /// Kind::NotFound when there is none of that name.
    [[nodiscard]] Task<VolumeDetails> inspectVolume(QString name, CancelToken cancel = {});
    [[nodiscard]] Task<QList<VolumeDetails>> listVolumes(
        QStringList labels, CancelToken cancel = {});
    /// A missing volume counts as success; Kind::Conflict while a container uses it.
    [[nodiscard]] Task<> removeVolume(QString name, CancelToken cancel = {});

private:
    struct State;
    std::shared_ptr<State> m_state;
};

} // namespace isol8::docker
