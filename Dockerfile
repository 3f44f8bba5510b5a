# One image for the app and the model server; WHENCE_ROLE chooses. docs/deploy.md has the commands.
#   docker build -t whence .                                        any machine; uses a GPU where there is one
#   docker build -t whence --build-arg DEVICE=cpu \
#                --build-arg TORCH_INDEX=<PyTorch's CPU wheels> .   smaller, without the CUDA libraries
# Models are not in it (but for the small demo model): they come from a volume or from the hub at start.
# The base is named by its exact patch release; docs/deploy.md says how to name it by digest.
ARG BASE=python:3.11.14-slim-trixie
FROM ${BASE}

ARG DEVICE=
ARG TORCH_INDEX=

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    WHENCE_DEVICE=${DEVICE} \
    WHENCE_DATA_DIR=/data \
    HF_HOME=/data/hub \
    WHENCE_ROLE=app \
    HOST=0.0.0.0 \
    PORT=8080

RUN useradd --create-home --uid 1000 whence \
    && install -d -o whence -g whence /data

WORKDIR /app
COPY requirements.txt requirements.lock requirements-postgres.lock ./
COPY tools/install.sh tools/
COPY deploy/install.sh deploy/
RUN sh deploy/install.sh python "${TORCH_INDEX}"
COPY . .
RUN sh deploy/verify.sh python && sh deploy/sbom.sh python sbom.cdx.json

USER 1000
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s CMD ["python", "deploy/health.py"]
CMD ["sh", "deploy/run.sh"]
