// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/execution.h"
#include "ui/targets/target.h"

#include <QWidget>

#include <optional>

class QComboBox;

namespace isol8::ui {

/// The choices beside the Run button: what the text is run with and where.
class RunBar : public QWidget {
    Q_OBJECT

public:
    explicit RunBar(QWidget* parent);

    /// None: by the file's name.
    [[nodiscard]] std::optional<Runtime> runtime() const;
    void setRuntime(std::optional<Runtime> runtime);
    /// What the file's name tells, shown with the automatic choice.
    void setDetected(std::optional<Runtime> runtime);

    void setTargets(const QList<Target>& targets, const QString& currentId);
    /// Targets do not change under a run.
    void setTargetEnabled(bool isEnabled);

Q_SIGNALS:
    void runtimeChosen(std::optional<isol8::Runtime> runtime);
    void targetChosen(const QString& id);

private:
    QComboBox* m_runtime;
    QComboBox* m_target;
};

[[nodiscard]] QString runtimeTitle(Runtime runtime);

} // namespace isol8::ui
