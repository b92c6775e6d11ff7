// SPDX-License-Identifier: MIT
#pragma once

#include "ui/images/imageservice.h"

#include <QDialog>

class QLabel;
class QPlainTextEdit;
class QProgressBar;
class QPushButton;
class QTableWidget;

namespace isol8::ui {

/// The images that runs use: what is built, with size and age; building with its log, and removing.
class ImagesDialog : public QDialog {
    Q_OBJECT

public:
    ImagesDialog(std::shared_ptr<docker::Client> client, ImageSettings settings, QWidget* parent);

    /// Builds what is missing, as if all were chosen.
    void buildMissing();

Q_SIGNALS:
    void changed(); ///< Something was built or removed.

protected:
    void closeEvent(QCloseEvent* event) override;
    void reject() override;

private:
    void fill(const QList<ImageRow>& rows);
    void handle(const ImageEvent& event);
    void buildSelected(Rebuild rebuild);
    void askToRemove();
    void updateButtons();
    void log(const QString& line);
    [[nodiscard]] QList<ImageRow> selected() const;

    ImageService* m_service;
    QList<ImageRow> m_rows;
    bool m_isBuildingMissing = false;
    QTableWidget* m_table;
    QLabel* m_step;
    QProgressBar* m_progress;
    QPlainTextEdit* m_log;
    QPushButton* m_build;
    QPushButton* m_rebuild;
    QPushButton* m_remove;
    QPushButton* m_cancel;
};

} // namespace isol8::ui
