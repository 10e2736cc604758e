"""Charts of scikit-learn models: they can be named, and say when they are used what steplog has instead."""

from steplog._wandb_absent import refusing

_INSTEAD = {
    "plot_calibration_curve": "log_metrics",
    "plot_class_proportions": "log_metrics",
    "plot_classifier": "log_metrics, log_feature_importances",
    "plot_clusterer": "log_metrics",
    "plot_confusion_matrix": "log_metrics",
    "plot_elbow_curve": "log_metrics",
    "plot_feature_importances": "log_feature_importances",
    "plot_learning_curve": "log_learning_curve",
    "plot_outlier_candidates": "log_metrics",
    "plot_precision_recall": "log_metrics",
    "plot_regressor": "log_metrics, log_feature_importances",
    "plot_residuals": "log_metrics",
    "plot_roc": "log_metrics",
    "plot_silhouette": "log_metrics",
    "plot_summary_metrics": "log_metrics",
}

__all__ = [*_INSTEAD]

globals().update(
    {
        name: refusing(f"wandb.sklearn.{name}", f"steplog.integration.sklearn has {instead}")
        for name, instead in _INSTEAD.items()
    }
)
