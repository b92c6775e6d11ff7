// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"
#include "engine/docker/types.h"

#include <QJsonObject>

namespace isol8::docker {

// Docker's answers as values. Kind::Protocol names the key that is missing or of the wrong type;
// unknown keys are ignored, and lists that are null count as empty.
[[nodiscard]] Result<QJsonObject> objectFromAnswer(const QByteArray& body);
/// One string of an object: the `Id` of a created container.
[[nodiscard]] Result<QString> stringFromAnswer(const QByteArray& body, const QString& key);
/// What Docker remarks about a created container.
[[nodiscard]] Result<QStringList> warningsFromAnswer(const QByteArray& body);
[[nodiscard]] Result<ServerVersion> versionFromAnswer(const QByteArray& body);
[[nodiscard]] Result<ServerInfo> infoFromAnswer(const QByteArray& body);
[[nodiscard]] Result<ContainerDetails> containerFromAnswer(const QByteArray& body);
[[nodiscard]] Result<QList<ContainerSummary>> containersFromAnswer(const QByteArray& body);
/// The exit code of `POST /containers/{id}/wait`.
[[nodiscard]] Result<int> exitCodeFromAnswer(const QByteArray& body);
[[nodiscard]] Result<ImageDetails> imageFromAnswer(const QByteArray& body);
[[nodiscard]] Result<QList<ImageDetails>> imagesFromAnswer(const QByteArray& body);
[[nodiscard]] Result<VolumeDetails> volumeFromAnswer(const QByteArray& body);
[[nodiscard]] Result<QList<VolumeDetails>> volumesFromAnswer(const QByteArray& body);

} // namespace isol8::docker
